"""The linter across events: what only shows when many are looked at, in memory that does not grow with the file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.base import section
from schemas.lint_codes import LINT_MESSAGES
from schemas.lint_given import members
from schemas.problems import Problem

# How many different ids and addresses are remembered; later new ones are not looked at.
MAX_REMEMBERED: Final = 100_000
# Two names may share an id, a PageView and the Purchase on it; a third use of it is none of a person.
_USES_OF_AN_ID: Final = 3
# A household or an office shares an address too: fewer people than this are no sign.
_PEOPLE_OF_A_SERVER: Final = 20
# A carrier puts many people behind one address, but hardly so large a part of a shop's.
_SHARE_OF_A_SERVER: Final = 0.05
_EXAMPLES: Final = 3
_MOST_USES: Final = 6
# Whose members tell one person from another, the best first.
_PERSON: Final = ("em", "external_id", "ph", "fbp", "client_user_agent")


@dataclass(frozen=True, slots=True)
class _Use:
    """One event with an id: its number, and hashes of its name and of name and time."""

    index: int
    name: int
    name_and_time: int


@dataclass(slots=True)
class _Uses:
    """All events with one id."""

    first: list[_Use]
    events: int

    @property
    def is_reused(self) -> bool:
        """Tell whether it is no event's own: one name has two times, or there are too many of both."""
        names = {use.name for use in self.first}
        names_and_times = {use.name_and_time for use in self.first}
        return len(names) < len(names_and_times) or len(names_and_times) >= _USES_OF_AN_ID


class BatchLint:
    """Collects events one by one; they are numbered from 0, and of each only hashes and counts are kept."""

    def __init__(self) -> None:
        self._events = 0
        self._with_address = 0
        self._first: dict[int, _Use] = {}
        self._again: dict[int, _Uses] = {}
        self._people: dict[int, set[int]] = {}
        self._addresses: Counter[int] = Counter()

    def add(self, event: Mapping[str, Any], *, number: int | None = None) -> None:
        """Look at the next event, as it would be sent; number: what to call it, where it is not counted from 0."""
        index = self._events if number is None else number
        self._events += 1
        event_id = event.get("event_id")
        if isinstance(event_id, str) and event_id:
            name, moment = str(event.get("event_name")), event.get("event_time")
            use = _Use(index, hash(name), hash((name, moment if isinstance(moment, int) else None)))
            self._add_id(hash(event_id), use)
        user_data = section(event, "user_data")
        address = user_data.get("client_ip_address")
        if isinstance(address, str) and address:
            self._add_address(hash(address), user_data)

    def _add_id(self, event_id: int, use: _Use) -> None:
        first = self._first.get(event_id)
        if first is None:
            if len(self._first) < MAX_REMEMBERED:
                self._first[event_id] = use
            return
        uses = self._again.setdefault(event_id, _Uses([first], 1))
        uses.events += 1
        # Enough to name examples, and to see a third use of it behind repetitions of the first two.
        if len(uses.first) < _EXAMPLES or use.name_and_time not in {each.name_and_time for each in uses.first}:
            uses.first = [*uses.first, use][:_MOST_USES]

    def _add_address(self, address: int, user_data: Mapping[str, Any]) -> None:
        self._with_address += 1
        if address not in self._people and len(self._people) >= MAX_REMEMBERED:
            return
        self._addresses[address] += 1
        people = self._people.setdefault(address, set())
        person = next((text for key in _PERSON for _, text in members(user_data, key)), None)
        if person is not None and len(people) < _PEOPLE_OF_A_SERVER:
            people.add(hash(person))

    def problems(self) -> list[Problem]:
        """Return what was found so far: at most one problem a code, with counts and the numbers of events."""
        return [*self._of_ids(), *self._of_addresses()]

    def _of_ids(self) -> list[Problem]:
        reused = [uses for uses in self._again.values() if uses.is_reused]
        if not reused:
            return []
        worst = max(reused, key=lambda uses: uses.events)
        places = ", ".join(str(use.index) for use in worst.first[:_EXAMPLES])
        message = (
            f"{LINT_MESSAGES['event_id_reused']} ({len(reused)} such ids; the most used one on {worst.events} events, "
            f"first on events {places})"
        )
        return [Problem("event_id", "event_id_reused", message)]

    def _of_addresses(self) -> list[Problem]:
        least = max(_PEOPLE_OF_A_SERVER, self._with_address * _SHARE_OF_A_SERVER)
        servers = [
            self._addresses[address]
            for address, people in self._people.items()
            if len(people) >= _PEOPLE_OF_A_SERVER and self._addresses[address] >= least
        ]
        if not servers:
            return []
        message = (
            f"{LINT_MESSAGES['ip_of_many_people']} ({len(servers)} such addresses, on {sum(servers)} of "
            f"{self._with_address} events)"
        )
        return [Problem("user_data.client_ip_address", "ip_of_many_people", message)]
