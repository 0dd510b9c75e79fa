"""The event store by itself: what each step costs, what an event weighs, and whether it stays so as the work grows."""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import redis
from celery import Celery

from benchmarks.events import append, append_store, stored_events
from benchmarks.measure import Figures, Options, cpu_seconds, interleaved
from capi_relay import keys
from tests.fakes.server import EmbeddedServer
from worker.broker_url import broker_url_of
from worker.store import Exit, Lease, Look, Settlement, Store

_BATCH = 1000
_LIMITS = {"max_events": _BATCH, "max_bytes": 4_000_000}
_FAR_MS = 3_600_000
_SMALL = b'{"event_name":"Purchase","event_id":"a-small-one-of-60-b"}'
_US = 1e6
_T = TypeVar("_T")


def run(options: Options) -> Figures:
    """Measure the steps, the weight, and the growth with datasets and with waiting events."""
    figures = Figures()
    with _opened() as bench:
        _steps(figures, bench, options)
        _weight(figures, bench, options)
        _remembered(figures, bench, options)
    _datasets(figures, options)
    _backlog(figures, options, "backlog_1m", options.size(1_000_000, 50_000))
    return figures


def run_10m(options: Options) -> Figures:
    """Measure a backlog of ten million small events; by hand: it takes minutes and 2 GB."""
    figures = Figures()
    _backlog(figures, options, "backlog_10m", options.size(10_000_000, 100_000))
    return figures


class _Bench:
    """A store of its own, seen by a producer, a worker and the server's own clock."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.redis: redis.Redis = redis.Redis.from_url(server.url)
        self.producer = append_store(server.url)
        self.store = Store(server.url, lease_seconds=600)

    def server_us(self, call: Callable[[], object]) -> float:
        """Return the server's own CPU time of a call."""
        pid = self.server.pid
        assert pid is not None
        before = cpu_seconds(pid)
        call()
        return (cpu_seconds(pid) - before) * _US

    def flush(self) -> None:
        """Empty the server, and wait until its memory is free: it would free it by the way."""
        self.redis.execute_command("FLUSHALL", "SYNC")  # type: ignore[no-untyped-call] # redis-py leaves it untyped

    def used_bytes(self) -> int:
        """Return what is stored, without the marks of calls, which are gone after a minute."""
        calls = list(self.redis.scan_iter(match="*:call:*", count=10_000))
        for first in range(0, len(calls), _BATCH):
            self.redis.delete(*calls[first : first + _BATCH])
        return int(self.redis.info("memory")["used_memory"])

    def claim(self, dataset_id: str | None = None) -> Lease:
        """Lease the next lane, or that of one dataset, whatever else waits."""
        look = self.store.lanes.look()
        if dataset_id is not None:
            look = Look(((0, keys.lane_of(dataset_id, "0")),), 1, None)
        lease = self.store.lanes.claim(look, **_LIMITS)
        assert lease is not None
        return lease

    def settle(self, lease: Lease) -> None:
        """Mark and settle all of a batch as delivered."""
        assert self.store.lanes.mark(lease, 1, lease.entries)
        done = self.store.lanes.settle(
            lease, Settlement("release", exits=[Exit(("delivered", "fresh"), lease.entries)])
        )
        assert done.removed == (len(lease.entries),)


@contextmanager
def _opened() -> Iterator[_Bench]:
    with tempfile.TemporaryDirectory(prefix="capi-bench-") as folder, EmbeddedServer(Path(folder)) as server:
        bench = _Bench(server)
        bench.redis.config_set("auto-aof-rewrite-percentage", 0)
        try:
            yield bench
        finally:
            bench.producer.close()
            bench.store.close()
            bench.redis.close()


def _steps(figures: Figures, bench: _Bench, options: Options) -> None:
    """Append and work off batches of the reference event, and say what each step costs client and server."""
    batches = options.size(20, 4)
    events = list(stored_events(_BATCH))
    total = batches * _BATCH
    for _ in range(options.rounds):
        leases: list[Lease] = []
        steps: dict[str, Callable[[], object]] = {
            "append": lambda: _each(lambda n: append(bench.producer, str(1000 + n), events), range(batches)),
            "claim": lambda: leases.extend(bench.claim() for _ in range(batches)),  # noqa: B023 - called at once
            "settle": lambda: _each(bench.settle, leases),  # noqa: B023 - called at once
        }
        for name, call in steps.items():
            client = time.process_time()
            server = bench.server_us(call) / total
            figures.add(name, f"{name} of 1000, client CPU", "us/event", (time.process_time() - client) * _US / total)
            figures.add(f"{name}_server", f"{name} of 1000, server CPU", "us/event", server)


def _each(call: Callable[[_T], None], things: Iterable[_T]) -> None:
    for thing in things:
        call(thing)


def _weight(figures: Figures, bench: _Bench, options: Options) -> None:
    """Weigh a waiting event, and a Celery message that carries the same."""
    events = list(stored_events(options.size(20_000, 5000)))
    payload = statistics.mean(map(len, events))
    bench.flush()
    before = bench.used_bytes()
    append(bench.producer, "1000", events)
    ours = (bench.used_bytes() - before) / len(events)
    bench.flush()
    before = bench.used_bytes()
    few = events[: len(events) // 10]
    with Celery(broker=broker_url_of(bench.server.url)) as app:
        for event in few:
            app.send_task("send_one", args=[event.decode()], queue="weighed")
    celery = (bench.used_bytes() - before) / len(few)
    figures.add("waiting_bytes", "a waiting event in the store", "bytes", ours)
    figures.add("celery_bytes", "the same event in a Celery message", "bytes", celery)
    figures.add("memory_of_payload", "a waiting event over its payload", "x", ours / payload)
    figures.add("memory_of_celery", "a waiting event over a Celery message", "x", ours / celery)


def _remembered(figures: Figures, bench: _Bench, options: Options) -> None:
    """Weigh what is kept of a delivered event, so that its repetition is known, as the server's table grows."""
    bench.flush()
    before, kept = bench.used_bytes(), 0
    for key, full, quick, state in (
        ("remembered_bytes", 700_000, 350_000, "its table three quarters full"),
        ("remembered_bytes_most", 1_000_000, 500_000, "its table just doubled"),
    ):
        count = options.size(full, quick)
        while kept < count:
            bench.redis.sadd(keys.seen(0, "1000", 0), *(os.urandom(8) for _ in range(min(250, count - kept))))
            kept = min(count, kept + 250)
        figures.add(key, f"a remembered event, of {count:,}, {state}", "bytes", (bench.used_bytes() - before) / kept)
    bench.flush()


def _datasets(figures: Figures, options: Options) -> None:
    """Compare a store of one dataset with one of ten thousand, and weigh those that are idle."""
    count = options.size(10_000, 500)
    names = [str(100_000 + number) for number in range(count)]
    one = list(stored_events(1))
    with _opened() as small, _opened() as large:
        before = large.used_bytes()
        for name in names:
            append(large.producer, name, one)
        for _ in names:
            large.settle(large.claim())
        idle = (large.used_bytes() - before) / count
        figures.add("datasets_idle_bytes", f"an idle dataset with its counters, of {count:,}", "bytes", idle)
        for name in names:  # from here on each has an event that waits for its time
            append(large.producer, name, one, linger_ms=_FAR_MS)
        append(small.producer, names[0], one, linger_ms=_FAR_MS)
        _compare(figures, options, {"one": (small, names[:1]), "many": (large, names)})


def _compare(figures: Figures, options: Options, sides: dict[str, tuple[_Bench, Sequence[str]]]) -> None:
    calls = options.size(1000, 100)
    contenders: dict[str, Callable[[], float]] = {}
    for side, (bench, names) in sides.items():
        turns = itertools.cycle(names)
        contenders[f"{side}_enqueue"] = lambda b=bench, t=turns: _p50_us(  # type: ignore[misc] # bound here
            lambda: append(b.producer, next(t), _ONE, linger_ms=_FAR_MS), calls
        )
        contenders[f"{side}_claim"] = lambda b=bench, n=names[0]: _cycle_us(b, n, calls // 50)  # type: ignore[misc]
        contenders[f"{side}_tick"] = lambda b=bench: _p50_us(lambda: _tick(b), calls)  # type: ignore[misc]
    what = {"enqueue": "enqueue, p50", "claim": "claim to settle of 1000, p50", "tick": "a tick's look, p50"}
    size = len(sides["many"][1])
    for name, value in interleaved(options.rounds, contenders):
        side, _, step = name.partition("_")
        figures.add(name, f"{what[step]}, {1 if side == 'one' else format(size, ',')} datasets", "us", value)
    for step, label in what.items():
        figures.ratio(f"datasets_{step}", f"{label}: {size:,} datasets over one", f"many_{step}", f"one_{step}")


_ONE = list(stored_events(1))


def _tick(bench: _Bench) -> None:
    bench.store.lanes.look(soon_ms=1500)
    bench.store.admin.paused_ids()


def _cycle_us(bench: _Bench, dataset_id: str, cycles: int) -> float:
    """Return the p50 of claiming, marking and settling a full batch of one dataset."""
    events = list(stored_events(_BATCH))
    taken = []
    for _ in range(cycles):
        append(bench.producer, dataset_id, events)
        began = time.perf_counter()
        bench.settle(bench.claim(dataset_id))
        taken.append((time.perf_counter() - began) * _US)
    return statistics.median(taken)


def _p50_us(call: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * _US)
    return statistics.median(taken)


def _backlog(figures: Figures, options: Options, key: str, size: int) -> None:
    """Claim to settle of 1000 small events with few and with many behind them."""
    events, cycles = [_SMALL] * _BATCH, options.size(20, 5)
    with _opened() as small, _opened() as large:
        for bench, count in ((small, 20_000), (large, size)):
            for _ in range(count // _BATCH):
                append(bench.producer, "1000", events)

        def cycle(bench: _Bench) -> None:
            bench.settle(bench.claim())

        def refill(bench: _Bench) -> float:
            found = _p50_us(lambda: cycle(bench), cycles)
            for _ in range(cycles):
                append(bench.producer, "1000", events)
            return found

        contenders = {"small": lambda: refill(small), "large": lambda: refill(large)}
        for name, value in interleaved(options.rounds, contenders):
            waiting = 20_000 if name == "small" else size
            figures.add(f"{key}_{name}", f"claim to settle of 1000, {waiting:,} waiting", "us", value)
    figures.ratio(key, f"{size:,} waiting over 20,000", f"{key}_large", f"{key}_small")
