"""A hand on one event store: does what producers and workers do, and moves time by rewriting the index's scores."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Self

import redis

from capi_relay import keys
from capi_relay.append import Append
from capi_relay.store import AppendStore
from worker.store import DatasetCounts, DeadEntry, Entry, Exit, Lease, Settled, Settlement, Store

DATASET = "1001"
LANE = f"{DATASET}/0"


class Hand:
    """Everything on shard 0 unless told otherwise; lanes are ``<dataset>/<name>``."""

    def __init__(
        self, url: str, *, full_events: int = 1000, lane_cap: int = 100_000, lease_seconds: float = 60
    ) -> None:
        self.store = Store(url, lease_seconds=lease_seconds, full_events=full_events)
        self.redis: redis.Redis = redis.Redis.from_url(url, protocol=2)
        # Long enough for a busy machine: what the deadline promises is tested with the producer.
        self.appends = AppendStore(url, deadline_seconds=20, full_events=full_events, lane_cap=lane_cap, shards=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()
        self.redis.close()
        self.appends.close()

    def append(self, *events: str, lane: str = LANE, call_id: str = "", linger_ms: int = 0) -> None:
        """Append events of a call to one lane."""
        self.append_call({lane: events}, call_id=call_id, linger_ms=linger_ms)

    def append_call(self, lanes: dict[str, tuple[str, ...]], *, call_id: str = "", linger_ms: int = 0) -> None:
        """Append events of a call to several lanes of one dataset."""
        work = Append(keys.dataset_of(next(iter(lanes))), call_id or uuid.uuid4().hex, linger_ms)
        for lane, events in lanes.items():
            work.lanes[lane.partition("/")[2]] = [(event.encode(), b"}") for event in events]
        self.appends.append(work)

    def foreign(self, *, lane: str = LANE, **fields: str) -> str:
        """Put an entry into the stream past the producer; return its id."""
        pairs = [word for pair in fields.items() for word in pair]
        added: bytes = self.redis.execute_command("XADD", keys.stream(0, lane), "*", *pairs)  # type: ignore[no-untyped-call] # redis-py
        return added.decode()

    def lease(self, *, max_events: int = 1000, max_bytes: int = 1_000_000) -> Lease | None:
        """Look and claim, as a pump does."""
        return self.store.lanes.claim(self.store.lanes.look(), max_events=max_events, max_bytes=max_bytes)

    def take(self, *, max_events: int = 1000, max_bytes: int = 1_000_000) -> Lease:
        """Lease what is sure to be there."""
        lease = self.lease(max_events=max_events, max_bytes=max_bytes)
        assert lease is not None
        return lease

    def settle(
        self,
        lease: Lease,
        delivered: tuple[Entry, ...] = (),
        dead: tuple[Entry, ...] = (),
        *,
        then: Literal["part", "release", "retry"] = "release",
        **options: Any,  # noqa: ANN401 - those of Lanes.settle
    ) -> Settled:
        """Let entries out as delivered or as rejected, and say what becomes of the lane."""
        exits = [Exit(("delivered", "fresh"), delivered)] if delivered else []
        letters = [DeadEntry(entry, "rejected", entry.event, '{"reason":"rejected"}') for entry in dead]
        return self.store.lanes.settle(lease, Settlement(then, exits=exits, dead=letters, **options))

    def ripen(self, lane: str = LANE) -> None:
        """Let the time pass that the lane waits for: linger, lease, backoff or pause."""
        for index in (keys.due(0), keys.held(0)):
            self.redis.zadd(index, {lane: 1}, xx=True)

    def die(self, times: int = 1, *, max_events: int = 1000) -> list[int]:
        """Take the lane and vanish, so many times; return how many events each batch had."""
        sizes = []
        for _ in range(times):
            sizes.append(len(self.take(max_events=max_events).entries))
            self.ripen()
        return sizes

    def due(self, lane: str = LANE) -> float | None:
        return self.redis.zscore(keys.due(0), lane)

    def held(self, lane: str = LANE) -> float | None:
        return self.redis.zscore(keys.held(0), lane)

    def now_ms(self) -> int:
        seconds, micros = self.redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def state(self, lane: str = LANE) -> dict[str, str]:
        found: Any = self.redis.hgetall(keys.state(0, lane))
        return {name.decode(): value.decode() for name, value in found.items()}

    def length(self, lane: str = LANE) -> int:
        return int(self.redis.xlen(keys.stream(0, lane)))

    def counts(self, dataset_id: str = DATASET) -> DatasetCounts:
        return self.store.admin.counts(dataset_id)

    def counter(self, name: str, dataset_id: str = DATASET) -> int:
        return self.counts(dataset_id).counters.get(name, 0)

    def size(self, field: str) -> int:
        return int(self.redis.hget(keys.size(0), field) or 0)

    @contextmanager
    def full_server(self) -> Iterator[None]:
        """Let the server be over its memory limit."""
        self.redis.config_set("maxmemory", 1)
        try:
            yield
        finally:
            self.redis.config_set("maxmemory", 0)


def texts(lease: Lease) -> list[str]:
    """Return the events of a lease."""
    return [entry.event.decode() for entry in lease.entries]
