"""What a worker process keeps: idle, for each batch in flight, and after many events."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import Figures, Options, uss_bytes
from benchmarks.sink import Sink
from benchmarks.stage import DATASETS, Stage, stage

_MB = 1_000_000


def run(options: Options) -> Figures:
    """Measure once: memory does not vary like time does."""
    figures = Figures()
    with Sink() as fast, Sink(latency_seconds=1) as slow, stage(slow) as on:
        on.clear()
        group = on.start_relay()
        idle = uss_bytes(group)
        figures.add("idle_mb", "USS of a worker process, idle", "MB", idle / _MB)
        _in_flight(figures, on, group, options)
        on.stop_workers()
        on.sink = fast
        on.relay.env["CAPI_GRAPH_URL"] = fast.url
        _growth(figures, on, options)
    return figures


def _in_flight(figures: Figures, on: Stage, group: int, options: Options) -> None:
    """Let as many batches as there are datasets wait for their answers at the same time."""
    batches = len(DATASETS)
    on.drain([group], lambda: on.fill(batches * 1000), batches * 1000, seconds=60)  # connections, threads, arenas
    before = uss_bytes(group)
    with _watched(group) as seen:
        events = batches * options.size(10, 3) * 1000
        on.drain([group], lambda: on.fill(events), events, seconds=60)
    figures.add("warm_mb", "the same after its first requests", "MB", before / _MB)
    figures.add("peak_mb", f"peak with {batches} batches in flight", "MB", max(seen) / _MB)
    figures.add(
        "in_flight_mb", "for each batch in flight, over idle", "MB", (max(seen) - _idle(figures)) / batches / _MB
    )


def _idle(figures: Figures) -> float:
    return figures.value("idle_mb") * _MB


def _growth(figures: Figures, on: Stage, options: Options) -> None:
    """Deliver many events and compare the memory before and after, both times at rest."""
    on.clear()
    group = on.start_relay()
    part = options.size(100_000, 10_000) // 8000 * 8000
    for _ in range(2):
        on.drain([group], lambda: on.fill(part), part, seconds=60)
    before = uss_bytes(group)
    total = options.size(1_000_000, 50_000)
    done = 0
    while done < total:
        on.drain([group], lambda: on.fill(part), part, seconds=60)
        done += part
    figures.add("growth_events", "delivered then", "events", done)
    figures.add("growth_mb", "growth over these events", "MB", (uss_bytes(group) - before) / _MB)


@contextmanager
def _watched(group: int) -> Iterator[list[int]]:
    """Look at a process's memory all the time."""
    seen: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            seen.append(uss_bytes(group))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
