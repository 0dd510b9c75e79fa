"""Lanes with leases: the consuming protocol. Look for work, lease a lane, mark, settle."""

import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from capi_relay import keys
from worker.errors import StoreUnavailable
from worker.store.connection import Connection
from worker.store.records import DeadEntry, Entry, Exit, Lease, Settled, id_key

# A lane of which only newer formats are left is looked at again after so long.
_NEWER_MS = 5_000
# Workers that look at the same moment choose among the first few, so that they do not all reach for the same lane.
_CHOOSE_AMONG = 4
_PEEK = 16
# How long a lease's holder waits for Redis to come back from a restart or a failover, and how often it looks.
_PATIENCE_SECONDS = 15.0
_LOOK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Look:
    """What waits: the lanes that may be taken now, how many soon, and when the next one falls due."""

    lanes: tuple[tuple[int, str], ...]
    """(shard, lane), the longest eligible first."""
    eligible_soon: int
    next_due_ms: int | None
    """From now; None: nothing waits for its time."""


class Lanes:
    """The main path's view of the store."""

    def __init__(self, connection: Connection, *, lease_seconds: float, full_events: int) -> None:
        self._connection = connection
        self._lease_ms = int(lease_seconds * 1000)
        self._full_events = full_events

    def look(self, *, soon_ms: int = 0) -> Look:
        """Name the lanes worth taking, without taking one."""
        lanes: list[tuple[int, str]] = []
        eligible, next_due = 0, []
        shards = list(range(self._connection.shards))
        random.shuffle(shards)
        for shard in shards:
            index = [keys.due(shard), keys.held(shard)]
            now_ms, count, next_ms, *names = self._connection.run("peek", index, [_PEEK, soon_ms])
            lanes += [(shard, name.decode()) for name in names]
            eligible += count
            if next_ms >= 0:
                next_due.append(max(0, next_ms - now_ms))
        return Look(tuple(lanes), eligible, min(next_due, default=None))

    def claim(self, look: Look, *, max_events: int, max_bytes: int) -> Lease | None:
        """Lease one of the lanes seen and read a batch of it; None: others were faster, or nothing is left there."""
        first = list(look.lanes[:_CHOOSE_AMONG])
        random.shuffle(first)
        for shard, lane in (*first, *look.lanes[_CHOOSE_AMONG:]):
            lease = self._lease(shard, lane, max_events=max_events, max_bytes=max_bytes)
            if lease is not None:
                return lease
        return None

    def _lease(self, shard: int, lane: str, *, max_events: int, max_bytes: int) -> Lease | None:
        dataset_id, token = keys.dataset_of(lane), secrets.token_hex(8)
        taken, *reply = self._connection.run(
            "lease",
            [
                keys.stream(shard, lane),
                keys.due(shard),
                keys.held(shard),
                keys.state(shard, lane),
                keys.dataset(shard, dataset_id),
                keys.size(shard),
                keys.counters(shard, dataset_id),
            ],
            [lane, token, self._lease_ms, max_events, max_bytes, _NEWER_MS],
        )
        if not taken:
            return None
        now_ms, tries, fails, crashed, doubt, newer, rows = reply
        first, _, last = doubt.decode().partition(" ")
        return Lease(
            shard=shard,
            lane=lane,
            dataset_id=dataset_id,
            token=token,
            now_ms=now_ms,
            entries=tuple(Entry(rows[i].decode(), rows[i + 1], rows[i + 2]) for i in range(0, len(rows), 3)),
            tries=tries,
            pause_failures=fails,
            crashed=bool(crashed),
            doubt=(id_key(first), id_key(last)) if last else None,
            newer=newer,
        )

    def mark(
        self, lease: Lease, number: int, entries: Sequence[Entry], *, doubted: frozenset[str] = frozenset()
    ) -> bool:
        """Write the fenced mark directly before a POST; False: the lease is lost, do not POST.

        Args:
            lease: under which it is written.
            number: of this mark in the lease, so that a call sent twice counts once.
            entries: what is about to be sent.
            doubted: ids that an earlier POST of this very lease may have delivered.

        Raises:
            StoreUnavailable: it could not be written, so nothing may be POSTed.
        """
        maybe_delivered = 0
        if lease.doubt or doubted:
            maybe_delivered = sum(entry.id in doubted or lease.in_doubt(entry.id) for entry in entries)
        reply = self._run_as_holder(
            "mark",
            [
                keys.held(lease.shard),
                keys.state(lease.shard, lease.lane),
                keys.counters(lease.shard, lease.dataset_id),
            ],
            [lease.lane, lease.token, self._lease_ms, number, entries[0].id, entries[-1].id, maybe_delivered],
        )
        return bool(reply)

    def settle(
        self,
        lease: Lease,
        *,
        exits: Sequence[Exit] = (),
        dead: Sequence[DeadEntry] = (),
        then: Literal["part", "release", "retry"],
        retry_ms: int = 0,
        linger_ms: int = 0,
        in_doubt: bool = False,
        add_try: bool = False,
        learnt_batch: int = 0,
    ) -> Settled:
        """Let events out by their doors and say what becomes of the lane, in one script.

        ``part`` keeps the lease, ``release`` gives the lane back, ``retry`` gives it back for ``retry_ms`` from now.
        """
        shard, lane, dataset_id = lease.shard, lease.lane, lease.dataset_id
        groups = [group for group in exits if group.entries]
        args: list[str | bytes | int] = [
            *(lane, lease.token, then, retry_ms, linger_ms, self._full_events),
            *("doubt" if in_doubt else "taken", int(add_try), learnt_batch, len(groups), len(dead)),
        ]
        for group in groups:
            args += [len(group.counters), *group.counters, sum(len(entry.event) for entry in group.entries)]
            args += [len(group.entries), *(entry.id for entry in group.entries)]
        for item in dead:
            args += [item.entry.id, item.door, len(item.entry.event), item.event, item.entry.meta, item.record]
        status, *removed, written = self._run_as_holder(
            "settle",
            [
                keys.stream(shard, lane),
                keys.due(shard),
                keys.held(shard),
                keys.state(shard, lane),
                keys.dataset(shard, dataset_id),
                keys.size(shard),
                keys.counters(shard, dataset_id),
                keys.dead(shard, dataset_id),
                keys.paused(shard),
            ],
            args,
        )
        counts = iter(removed)
        return Settled(status == 1, tuple(next(counts) if group.entries else 0 for group in exits), written)

    def _run_as_holder(self, name: str, key_names: list[str], args: list[Any]) -> Any:  # noqa: ANN401 - a script's reply
        """Run a script of a lease's holder and wait for Redis: who gives up leaves the lane alone until the lease ends.

        Such a lane's events would wait so long, and what was delivered meanwhile would be sent again.
        """
        end = time.monotonic() + min(_PATIENCE_SECONDS, self._lease_ms / 4000)
        while True:
            try:
                return self._connection.run(name, key_names, args)
            except StoreUnavailable:
                if time.monotonic() >= end:
                    raise
            time.sleep(_LOOK_AGAIN_SECONDS)
