"""Take figures: clocks of this and other processes, rounds, and what they come to."""

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(slots=True)
class Figure:
    """One thing that was measured, a value a round."""

    label: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure that stands in the tables."""
        return statistics.median(self.values)


@dataclass(slots=True)
class Figures:
    """All figures of a subject by key, and what a reader must know of them."""

    by_key: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, key: str, label: str, unit: str, value: float) -> None:
        """Add one round's value."""
        self.by_key.setdefault(key, Figure(label, unit)).values.append(value)

    def ratio(self, key: str, label: str, over: str, under: str) -> None:
        """Add a ratio of two figures, round by round."""
        pairs = zip(self.by_key[over].values, self.by_key[under].values, strict=True)
        for above, below in pairs:
            self.add(key, label, "x", above / below)

    def value(self, key: str) -> float:
        """Return a figure's median."""
        return self.by_key[key].median


@dataclass(frozen=True, slots=True)
class Options:
    """How thorough a run is."""

    rounds: int
    quick: bool

    def size(self, full: int, quick: int) -> int:
        """Return how many to do."""
        return quick if self.quick else full


def cpu_us(call: Callable[[], object], count: int) -> float:
    """Return the CPU time of this process for a call that does ``count`` things, in us for each."""
    before = time.process_time_ns()
    call()
    return (time.process_time_ns() - before) / 1000 / count


def interleaved(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> Iterable[tuple[str, float]]:
    """Run all contenders once a round, round after round, so that a slow minute of the machine meets all of them."""
    for call in contenders.values():
        call()  # nobody pays for first imports and cold caches
    for _ in range(rounds):
        for name, call in contenders.items():
            yield name, call()


def group_cpu_seconds(group: int) -> float:
    """Return user and system time of all processes of a process group, ended children included."""
    total = 0
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(after_name[2]) == group:
            total += sum(map(int, after_name[11:15]))
    return total / _TICKS_PER_SECOND


def cpu_seconds(pid: int) -> float:
    """Return user and system time of one process."""
    after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_name[11:13])) / _TICKS_PER_SECOND


def uss_bytes(pid: int) -> int:
    """Return the memory that only this process has."""
    lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wait_until(true: Callable[[], bool], what: str, *, seconds: float, every: float = 0.05) -> None:
    """Poll until something is true.

    Raises:
        TimeoutError: it did not become true; the message says what.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
