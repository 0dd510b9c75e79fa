"""Cut a refused batch until the event at fault stands alone: pure.

Meta takes a request whole or not at all. Where it names the culprit, that one is ejected; else the batch is halved. A
code that nobody knows is first tried on up to three single events: one passes, and the fault is an event's; all fail
alike, and it is the dataset's.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from worker.intake import Sendable

_PROBES = 3
_FAILURES_ALONE = 5
_PASSES_BESIDE = 3


class Parts:
    """The parts of one batch that are still to be sent, in the order of their ids."""

    def __init__(self, batch: Sequence[Sendable]) -> None:
        self._stack: list[Sequence[Sendable]] = [batch] if batch else []
        self._passes = 0
        self._event_codes: set[int | None] = set()
        self._probing: int | None = None
        """How many probes of an unknown code are still to be answered."""
        self._failed: list[Sendable] = []
        self._failed_codes: set[int | None] = set()
        self._failed_alone: Counter[str] = Counter()
        self._by_chance = False
        """Whether an event passed after it had failed alone."""

    @property
    def empty(self) -> bool:
        """Say whether nothing is left to send."""
        return not self._stack

    def next(self) -> Sequence[Sendable]:
        """Take the next part; empty when all has been sent."""
        return self._stack.pop() if self._stack else ()

    def passed(self, part: Sequence[Sendable]) -> None:
        """Note that a part was delivered: what fails beside it fails for reasons of its own."""
        self._passes += 1
        self._by_chance |= len(part) == 1 and part[0].entry.id in self._failed_alone
        self._blame_events()

    def rejected(self, part: Sequence[Sendable], index: int | None, code: int | None) -> Sendable | None:
        """Note an event-scoped refusal; return the culprit if it is known, else None: the part was halved."""
        self._event_codes.add(code)
        self._blame_events()
        if index is None and len(part) > 1:
            self.halve(part)
            return None
        place = index or 0
        self._push([*part[:place], *part[place + 1 :]])
        return part[place]

    def halve(self, part: Sequence[Sendable]) -> None:
        """Put a part back as two."""
        middle = len(part) // 2
        self._push(part[middle:])
        self._push(part[:middle])

    def unknown(self, part: Sequence[Sendable], code: int | None) -> Literal["probe", "blocked", "alone"] | Sendable:
        """Note a refusal with a code nobody knows.

        Returns:
            The culprit where its neighbours pass; ``probe``: go on with the next part; ``blocked``: all probes failed
            alike, it is the dataset; ``alone``: there is no neighbour to compare with.
        """
        if self._probing is not None:
            return self._probe_failed(part[0], code)
        if code in self._event_codes or self._passes:
            return self.rejected(part, None, code) or "probe"
        if len(part) == 1 and self.empty:
            return "alone"
        self._start_probes(part)
        return "probe"

    def failed_again(self, part: Sequence[Sendable], code: int) -> Literal["probe", "blocked", "alone"] | Sendable:
        """Note a failure that may pass but has come again and again: is it one event that provokes it?

        Returns:
            As ``unknown``; but an answer of this kind may hit an innocent event, again and again where Meta is half
            down. One is the culprit only when it has failed alone five times, nothing that failed alone has passed
            since, and three parts passed for each other event that failed alone. Else ``blocked``: it may be chance.
        """
        verdict = self.unknown(part, code)
        if isinstance(verdict, str):
            return verdict
        self._failed_alone[verdict.entry.id] += 1
        if self._failed_alone[verdict.entry.id] < _FAILURES_ALONE:
            self._stack.insert(0, [verdict])  # the others first
            return "probe"
        enough = _PASSES_BESIDE * max(1, len(self._failed_alone) - 1)
        return "blocked" if self._by_chance or self._passes < enough else verdict

    def _start_probes(self, part: Sequence[Sendable]) -> None:
        """Put single events on top: the first, the middle and the last of all that is left."""
        left = [item for each in reversed([*self._stack, part]) for item in each]
        places = sorted({0, len(left) // 2, len(left) - 1})[:_PROBES]
        self._stack = []
        self._push([item for place, item in enumerate(left) if place not in places])
        for place in reversed(places):
            self._push([left[place]])
        self._probing = len(places)

    def _probe_failed(self, item: Sendable, code: int | None) -> Literal["probe", "blocked"]:
        assert self._probing is not None  # noqa: S101 - called while probing only
        self._probing -= 1
        self._failed.append(item)
        self._failed_codes.add(code)
        if self._probing > 0:
            return "probe"
        if len(self._failed_codes) == 1:
            return "blocked"
        self._blame_events()
        return "probe"

    def _blame_events(self) -> None:
        """End the probing: the codes seen belong to events, and those that failed are tried once more, alone."""
        if self._probing is None:
            return
        self._event_codes |= self._failed_codes
        for item in reversed(self._failed):
            self._push([item])
        self._probing, self._failed, self._failed_codes = None, [], set()

    def _push(self, part: Sequence[Sendable]) -> None:
        if part:
            self._stack.append(part)
