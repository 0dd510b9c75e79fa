"""What ``status --watch`` shows: the order of attention, the rate of delivery, a view that fits the window. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from worker.cli.console import duration, number, percent, safe, table
from worker.cli.counts import MANUAL, share_within_hour, status_of
from worker.dead_groups import Group as DeadGroup
from worker.explain import explain
from worker.scrub import escape
from worker.store import DatasetCounts, Pause

_COLUMNS = ("Dataset", "Waiting", "In\nflight", "Oldest", "Per\nminute", "Within\nhour", "Dead", "State")
_WINDOW_MS = 60_000
_EVERY_MS = 5_000
_MINUTE_MS = 60_000
_CAUSES = 3
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(slots=True)
class Rates:
    """How many events were delivered in the last minute, by dataset, from the counters as they were read."""

    _seen: deque[tuple[int, dict[str, int]]] = field(default_factory=deque)

    def add(self, now_ms: int, delivered: Mapping[str, int]) -> None:
        """Take the counters of one reading; of readings in quick succession one is enough."""
        if self._seen and now_ms - self._seen[-1][0] < _EVERY_MS:
            return
        self._seen.append((now_ms, dict(delivered)))
        while len(self._seen) > 1 and now_ms - self._seen[1][0] >= _WINDOW_MS:
            self._seen.popleft()

    def per_minute(self, dataset_id: str, now_ms: int, delivered: int) -> int | None:
        """Return the rate since the oldest reading of the last minute; None before there are two."""
        if not self._seen or now_ms <= self._seen[0][0]:
            return None
        then_ms, before = self._seen[0]
        gone = max(0, delivered - before.get(dataset_id, 0))
        return round(gone * _MINUTE_MS / (now_ms - then_ms))


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one refresh shows."""

    found: Sequence[DatasetCounts]
    """Those that need attention first."""
    per_minute: Mapping[str, int | None] = field(default_factory=dict)
    totals: Mapping[str, Any] = field(default_factory=dict)
    """Of all of them."""
    causes: Sequence[DeadGroup] = ()
    """Of the newest dead letters."""
    causes_of: int = 0
    """Of how many."""
    now: str = ""
    seconds: float = 0
    """How long it took to read."""
    trouble: str = ""
    """Why the numbers are not those of now, if they are not."""
    unreached: Sequence[str] = ()
    """Which workers do not reach Meta."""


def by_attention(found: Iterable[DatasetCounts], *, freshness_seconds: float) -> list[DatasetCounts]:
    """Sort datasets: paused with events that wait, then behind the freshness target, dead letters, busy, idle."""

    def rank(counts: DatasetCounts) -> tuple[int, float, int, int, str]:
        age = age_seconds(counts) or 0.0
        if counts.pause and counts.stored:
            place = 0
        elif age > freshness_seconds:
            place = 1
        elif counts.pause:
            place = 2
        elif counts.dead_letters:
            place = 3
        else:
            place = 4 if counts.stored else 5
        return place, -age, -counts.dead_letters, -counts.stored, counts.dataset_id

    return sorted(found, key=rank)


def totals_of(found: Iterable[DatasetCounts]) -> dict[str, Any]:
    """Return the sums that the view shows: those of ``status`` for ten thousand datasets take too long each time."""
    totals = Counter[str]()
    oldest = 0.0
    for counts in found:
        totals["waiting"] += counts.stored - counts.in_flight
        totals["in_flight"] += counts.in_flight
        totals["dead_letters"] += counts.dead_letters
        for name in ("delivered", "born_late", "fresh"):
            totals[name] += counts.counters.get(name, 0)
        oldest = max(oldest, age_seconds(counts) or 0.0)
    waits = totals["waiting"] + totals["in_flight"] > 0
    return {
        **{name: totals[name] for name in ("waiting", "in_flight", "dead_letters")},
        "share_within_hour": share_within_hour(totals),
        "oldest_age_seconds": oldest if waits else None,
    }


def age_seconds(counts: DatasetCounts) -> float | None:
    """Return how long the oldest event has waited."""
    return None if counts.oldest_ms is None else max(0, counts.now_ms - counts.oldest_ms) / 1000


def short(seconds: float | None) -> str:
    """Write how long something takes in six characters or fewer: ``46s``, ``2h46m``, ``3d4h``."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR}h"


def state_of(counts: DatasetCounts, *, freshness_seconds: float) -> str:
    """Say in a word or two what is the matter with a dataset."""
    if counts.pause:
        left = _left_seconds(counts, counts.pause)
        return f"{counts.pause.reason} {short(left)}" if left is not None else counts.pause.reason
    if (age_seconds(counts) or 0) > freshness_seconds:
        return "behind"
    return "" if counts.stored else "idle"


def view_of(reading: Reading, *, rows: int, freshness_seconds: float, causes: bool = True) -> RenderableType:
    """Return the view with so many datasets at most, and why they are paused and letters dead where that is wanted."""
    head = Text(f"{reading.now}, {number(len(reading.found))} dataset(s), read in {reading.seconds:.2f} s")
    if reading.trouble:
        head.append(f"\n{reading.trouble}", style="bold red")
    for line in reading.unreached:
        head.append("\n").append_text(Text(escape(line), style="bold red"))
    if not reading.found:
        return Group(head, Text("There is no dataset yet: none is configured and nothing was enqueued."))
    return Group(head, _table(reading, rows, freshness_seconds), *_footer(reading, rows, causes=causes))


def _table(reading: Reading, rows: int, freshness_seconds: float) -> Table:
    view = table(*_COLUMNS, right=range(1, 7))
    view.columns[-1].no_wrap, view.columns[-1].overflow = True, "ellipsis"
    for counts in reading.found[:rows]:
        state = state_of(counts, freshness_seconds=freshness_seconds)
        cells = _cells(status_of(counts), reading.per_minute.get(counts.dataset_id))
        view.add_row(safe(counts.dataset_id), *cells, safe(state), style=_style(counts, state))
    if len(reading.found) > 1:
        view.add_section()
        known = [rate for rate in reading.per_minute.values() if rate is not None]
        paused = sum(counts.pause is not None for counts in reading.found)
        cells = _cells(reading.totals, sum(known) if known else None)
        view.add_row("all", *cells, f"{number(paused)} paused" if paused else "", style="bold")
    return view


def _cells(status: Mapping[str, Any], per_minute: int | None) -> list[str]:
    return [
        number(status["waiting"]),
        number(status["in_flight"]),
        short(status["oldest_age_seconds"]),
        "-" if per_minute is None else number(per_minute),
        percent(status["share_within_hour"]),
        number(status["dead_letters"]),
    ]


def _style(counts: DatasetCounts, state: str) -> str:
    if counts.pause and counts.stored:
        return "red"
    return "yellow" if counts.pause or state == "behind" or counts.dead_letters else ""


def _footer(reading: Reading, rows: int, *, causes: bool) -> list[Text]:
    """Return what stands below the table: what is left out, why datasets are paused, why letters are dead."""
    lines = []
    if (more := len(reading.found) - rows) > 0:
        lines.append(Text(f"and {number(more)} more"))
    if not causes:
        return lines
    pauses: dict[str, list[DatasetCounts]] = {}
    for counts in reading.found:
        if counts.pause:
            pauses.setdefault(counts.pause.reason, []).append(counts)
    lines += [Text.assemble("\n", safe(_pause_text(held))) for held in pauses.values()]
    if reading.causes:
        lines.append(Text(f"\nDead letters by cause, of the newest {number(reading.causes_of)} (dead groups: of all):"))
        lines += [safe(f"{number(each.events):>6}  {each.cause.label}") for each in reading.causes[:_CAUSES]]
    return lines


def _pause_text(held: Sequence[DatasetCounts]) -> str:
    """Say of all datasets with one reason why they are paused, when the first goes on, and what to do."""
    pause = held[0].pause
    assert pause is not None  # noqa: S101 - they are here because they have one
    left = [_left_seconds(counts, counts.pause) for counts in held if counts.pause]
    ends = [seconds for seconds in left if seconds is not None]
    until = f"the next try in {duration(min(ends))}" if ends else "until resumed"
    names = ", ".join(counts.dataset_id for counts in held[:2])
    who = names if len(held) <= 2 else f"{names} and {number(len(held) - 2)} more"  # noqa: PLR2004 - as many as named
    if pause.reason == MANUAL:
        return f"{who}: paused by a person, {until}."
    code, subcode = (int(text) if text else None for text in (pause.code, pause.subcode))
    told = explain(pause.reason, code, subcode)
    return f"{who}: {pause.reason}, {until}. {told.cause} {told.fix}"


def _left_seconds(counts: DatasetCounts, pause: Pause) -> int | None:
    return None if pause.until_ms is None else ceil((pause.until_ms - counts.now_ms) / 1000)
