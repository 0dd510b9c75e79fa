"""Turn a dataset's counts into what ``status`` and ``reconcile`` say: pure."""

from collections.abc import Iterable
from typing import Any

from worker.cli.console import iso
from worker.store import DOORS, DatasetCounts, Pause
from worker.store.records import share_within_hour as share_within_hour  # noqa: PLC0414 - read from here too

MANUAL = "manual"
"""The reason of a person's pause: the store lets no machine's pause shorten it."""

_SUMMED = (
    *("enqueued", "waiting", "in_flight", "delivered", "fresh", "late", "dead_letters", "replayed", "foreign"),
    *("possible_duplicates", "requests"),
)


def status_of(counts: DatasetCounts) -> dict[str, Any]:
    """Return one dataset as ``status --json`` has it."""
    counters = counts.counters
    return {
        "enqueued": counters.get("enqueued", 0),
        "waiting": counts.stored - counts.in_flight,
        "in_flight": counts.in_flight,
        "delivered": counters.get("delivered", 0),
        "fresh": counters.get("fresh", 0),
        "late": counters.get("late", 0),
        "doors": dict(counts.doors),
        "dead_letters": counts.dead_letters,
        "replayed": counters.get("replayed", 0),
        "foreign": counters.get("foreign", 0) + counts.unseen_foreign,
        "possible_duplicates": counters.get("possible_duplicates", 0),
        "requests": counters.get("requests", 0),
        "share_within_hour": share_within_hour(counters),
        "oldest_age_seconds": _age_seconds(counts),
        "paused": counts.pause and paused_of(counts.pause),
    }


def totals_of(found: Iterable[DatasetCounts]) -> dict[str, Any]:
    """Return the sums over all datasets, and the age of the oldest event of all."""
    listed = list(found)
    each = [status_of(counts) for counts in listed]
    counters: dict[str, int] = {}
    for counts in listed:
        for name, value in counts.counters.items():
            counters[name] = counters.get(name, 0) + value
    ages = [status["oldest_age_seconds"] for status in each if status["oldest_age_seconds"] is not None]
    return {
        **{name: sum(status[name] for status in each) for name in _SUMMED},
        "doors": {door: sum(status["doors"].get(door, 0) for status in each) for door in DOORS},
        "share_within_hour": share_within_hour(counters),
        "oldest_age_seconds": max(ages, default=None),
    }


def equation_of(counts: DatasetCounts) -> dict[str, Any]:
    """Return both sides of: enqueued + replayed + foreign = waiting + in flight + the sum over all doors."""
    status = status_of(counts)
    sides = {name: status[name] for name in ("enqueued", "replayed", "foreign", "waiting", "in_flight")}
    return {**sides, "doors": sum(counts.doors.values()), "unaccounted": counts.unaccounted}


def paused_of(pause: Pause) -> dict[str, str | None]:
    """Return a pause as ``status --json`` has it: with a person's own words, where it is a person's."""
    reason = f"{pause.reason}: {pause.detail}" if pause.reason == MANUAL and pause.detail else pause.reason
    return {"reason": reason, "until": iso(pause.until_ms)}


def _age_seconds(counts: DatasetCounts) -> float | None:
    return None if counts.oldest_ms is None else max(0, counts.now_ms - counts.oldest_ms) / 1000
