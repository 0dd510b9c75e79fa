"""An estimate of our own, from 0 to 10, of how well Meta can match an event to a person; and what to add first.

It is no forecast of Meta's *event match quality*, which depends on whom Meta knows: it says which identifiers are
there, weighed by how surely one of them finds one person. The counters of many events are plain sums, so they can be
added up from anywhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from capi_relay.hashing import SHA256_OF_NOTHING
from schemas.base import section

FULL: Final = 10.0
# Counters are whole numbers, so that a store can add them: a score counts in tenths.
_TENTHS: Final = 10

WEB: Final = frozenset({"website"})
_NOT_WITHOUT_BROWSER: Final = frozenset({"website", "app"})


@dataclass(frozen=True, slots=True)
class Factor:
    """One way to find the person: all of `every` and, where there are such, one of `any_of`."""

    name: str
    points: float
    why: str
    every: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    where: frozenset[str] | None = None
    """The action sources that can know it; None: all."""
    is_for_all: bool = True
    """Whether every person has it, so that its absence is worth a word."""

    def holds(self, present: frozenset[str]) -> bool:
        """Tell whether it can be used with these keys."""
        return present.issuperset(self.every) and (not self.any_of or not present.isdisjoint(self.any_of))

    def concerns(self, action_source: object) -> bool:
        """Tell whether such an event could carry it."""
        return self.where is None or action_source in self.where


FACTORS: Final = (
    Factor("em", 3.0, "nearly every account has exactly one or two", every=("em",)),
    Factor("ph", 2.0, "most accounts have one, and few people share it", every=("ph",)),
    Factor("fbc", 1.5, "Meta's own note of the click", every=("fbc",), where=WEB, is_for_all=False),
    Factor("external_id", 1.0, "finds again whom another event has found", every=("external_id",)),
    Factor(
        "client_ip_address + client_user_agent",
        1.0,
        "together they tell a browser, for a while; one alone tells nobody",
        every=("client_ip_address", "client_user_agent"),
        where=_NOT_WITHOUT_BROWSER,
    ),
    Factor("fbp", 0.5, "the browser, as long as its cookie lives", every=("fbp",), where=WEB),
    Factor(
        "fn + ln + zp or ct",
        0.5,
        "a name is shared by many, in one place by few",
        every=("fn", "ln"),
        any_of=("zp", "ct"),
    ),
    Factor("db", 0.5, "tells people of one name apart", every=("db",), is_for_all=False),
    Factor("madid", 3.0, "the device, for apps", every=("madid",), where=frozenset({"app"}), is_for_all=False),
    Factor(
        "an id of Meta's",
        9.0,
        "Meta gave it to this person itself",
        any_of=("lead_id", "page_scoped_user_id", "ctwa_clid", "ig_sid", "fb_login_id"),
        is_for_all=False,
    ),
)
"""What counts, in the order of a web shop's gain; the first eight make ten points together."""

_KEYS: Final = frozenset(key for factor in FACTORS for key in factor.every + factor.any_of)


def score(event: Mapping[str, Any]) -> float:
    """Return the estimate for one event, 0.0 to 10.0."""
    present = _present(section(event, "user_data"))
    return min(FULL, sum(factor.points for factor in FACTORS if factor.holds(present)))


def counts(event: Mapping[str, Any]) -> Counter[str]:
    """Return one event's counters; those of many events are their sum.

    ``events``; ``tenths`` of points; and for each factor that the event could carry ``asked.<name>`` and, where it does
    not, ``missing.<name>`` and the tenths it would add in ``gain.<name>``.
    """
    present = _present(section(event, "user_data"))
    points = score(event)
    counted = Counter({"events": 1, "tenths": round(points * _TENTHS)})
    source = event.get("action_source")
    for factor in FACTORS:
        if factor.concerns(source if isinstance(source, str) else None):
            counted[f"asked.{factor.name}"] += 1
            if not factor.holds(present):
                counted[f"missing.{factor.name}"] += 1
                counted[f"gain.{factor.name}"] += round(min(factor.points, FULL - points) * _TENTHS)
    return counted


@dataclass(frozen=True, slots=True)
class Missing:
    """An identifier that events lack."""

    name: str
    share: float
    """Of the events that could carry it, 0 to 1."""
    gain: float
    """Points that all events would have more on average if none lacked it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The match quality of many events of one kind."""

    event_name: str
    events: int
    score: float
    missing: tuple[Missing, ...]
    """By gain, the largest first; without what is never missing."""

    @property
    def advice(self) -> str | None:
        """Say what to add first; None where nothing that every person has would help."""
        for each in self.missing:
            if _BY_NAME[each.name].is_for_all and each.gain:
                return f"`{each.name}` is missing in {_percent(each.share)} of {self.event_name}"
        return None


def summary(event_name: str, counted: Mapping[str, int]) -> Summary:
    """Return what the added counters of the events of one name say."""
    events = counted.get("events", 0)
    missing = sorted(_missing(counted), key=lambda each: -each.gain)
    average = counted.get("tenths", 0) / _TENTHS / events if events else 0.0
    return Summary(event_name, events, round(average, 1), tuple(missing))


class MatchQuality:
    """The counters by (dataset, event name), which can be added to those of another."""

    MAX_NAMES: Final = 1000
    OTHERS: Final = "(other names)"

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counter[str]] = {}
        """Dataset and event name -> the sums of `counts`."""

    def add(self, dataset_id: str, event: Mapping[str, Any]) -> None:
        """Count one event, as it would be sent."""
        self._counter(dataset_id, str(event.get("event_name"))).update(counts(event))

    def merge(self, other: "MatchQuality") -> None:
        """Add the counters of another."""
        for (dataset_id, event_name), counted in other.counts.items():
            self._counter(dataset_id, event_name).update(counted)

    def summaries(self) -> dict[str, list[Summary]]:
        """Return the summaries by dataset, those of the most events first."""
        found: dict[str, list[Summary]] = {}
        for (dataset_id, event_name), counted in self.counts.items():
            found.setdefault(dataset_id, []).append(summary(event_name, counted))
        return {
            dataset_id: sorted(each, key=lambda one: (-one.events, one.event_name))
            for dataset_id, each in sorted(found.items())
        }

    def _counter(self, dataset_id: str, event_name: str) -> Counter[str]:
        key = (dataset_id, event_name)
        if key not in self.counts and len(self.counts) >= self.MAX_NAMES:
            key = (dataset_id, self.OTHERS)
        return self.counts.setdefault(key, Counter())


_BY_NAME: Final = {factor.name: factor for factor in FACTORS}


def _missing(counted: Mapping[str, int]) -> Iterator[Missing]:
    events = counted.get("events", 0)
    for factor in FACTORS:
        lacking, asked = counted.get(f"missing.{factor.name}", 0), counted.get(f"asked.{factor.name}", 0)
        if lacking and asked:
            gain = counted.get(f"gain.{factor.name}", 0) / _TENTHS / events if events else 0.0
            yield Missing(factor.name, lacking / asked, gain)


def _percent(share: float) -> str:
    """Write a share in whole per cent, never rounded up to a whole or down to nothing that it is not."""
    return f"{min(max(round(share * 100), 1), 99) if share < 1 else 100} %"


def _present(user_data: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key for key in _KEYS & user_data.keys() if _says_something(user_data[key]))


def _says_something(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_says_something, value))
    if isinstance(value, str):
        return bool(value.strip()) and not value.startswith(SHA256_OF_NOTHING)
    return value is not None
