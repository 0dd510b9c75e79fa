"""Lanes with leases: the consuming protocol. Look for work, lease a lane, mark, settle."""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from capi_relay import keys
from worker.errors import StoreUnavailable
from worker.store.connection import Connection
from worker.store.records import Entry, Lease, Settled, id_key
from worker.store.settlement import REMEMBERED_BYTES, Settlement

# A lane of which only newer formats are left is looked at again after so long.
_NEWER_MS = 5_000
# Workers that look at the same moment choose among the first few, so that they do not all reach for the same lane.
_CHOOSE_AMONG = 4
_PEEK = 16
# How long a lease's holder waits for Redis to come back from a restart or a failover, and how often it looks.
_PATIENCE_SECONDS = 15.0
_LOOK_AGAIN_SECONDS = 0.25
# One call of the script blocks the store for some 5 ms at this number.
_MOVE_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """What waits: the lanes that may be taken now, how many soon, and when the next one falls due."""

    lanes: tuple[tuple[int, str], ...]
    """(shard, lane), the longest eligible first."""
    eligible_soon: int
    next_due_ms: int | None
    """From now; None: nothing waits for its time."""

    def admitted(self, admits: Callable[[str], bool]) -> "Look":
        """Return the same without the lanes of datasets that are not admitted."""
        lanes = tuple((shard, lane) for shard, lane in self.lanes if admits(keys.dataset_of(lane)))
        return replace(self, lanes=lanes)


class Lanes:
    """The main path's view of the store."""

    def __init__(self, connection: Connection, *, lease_seconds: float, full_events: int, remember_bytes: int) -> None:
        self._connection = connection
        self._lease_ms = int(lease_seconds * 1000)
        self._full_events = full_events
        self._remember_events = remember_bytes // REMEMBERED_BYTES

    def look(self, *, soon_ms: int = 0, names: int = _PEEK) -> Look:
        """Name the lanes worth taking, so many of a shard at most, without taking one."""
        lanes: list[tuple[int, str]] = []
        eligible, next_due = 0, []
        shards = list(range(self._connection.shards))
        random.shuffle(shards)
        for shard in shards:
            index = [keys.due(shard), keys.held(shard)]
            now_ms, count, next_ms, *found = self._connection.run("peek", index, [names, soon_ms])
            lanes += [(shard, name.decode()) for name in found]
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
        now_ms, tries, fails, crashed, doubt, newer, rows, behind, tests = reply
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
            behind=behind,
            tests_pause=tests.decode(),
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

    def settle(self, lease: Lease, settlement: Settlement) -> Settled:
        """Let events out by their doors and say what becomes of the lane, in one script."""
        remember_events = self._remember_events // self._connection.shards
        status, *removed, written, kept = self._run_as_holder(
            "settle",
            settlement.keys(lease),
            settlement.arguments(lease, full_events=self._full_events, remember_events=remember_events),
        )
        counts = iter(removed)
        gone = tuple(next(counts) if group.entries else 0 for group in settlement.exits)
        return Settled(status == 1, gone, written, kept)

    def move_late(self, lease: Lease, after_seconds: float) -> int:
        """Move what has waited for so long to the dataset's late lane; return how many events, 0 at the end."""
        shard, dataset_id = lease.shard, lease.dataset_id
        late = keys.lane_of(dataset_id, keys.LATE_LANE)
        moved = self._run_as_holder(
            "late",
            [
                keys.stream(shard, lease.lane),
                keys.due(shard),
                keys.held(shard),
                keys.state(shard, lease.lane),
                keys.size(shard),
                keys.lanes(shard, dataset_id),
                keys.stream(shard, late),
                keys.counters(shard, dataset_id),
            ],
            [lease.lane, lease.token, late, int(after_seconds * 1000), _MOVE_EVENTS],
        )
        return max(0, int(moved))

    def repeated(self, lease: Lease, slots: Sequence[int], prints: Sequence[bytes]) -> frozenset[bytes]:
        """Return those of the prints whose event was delivered in one of the slots."""
        if not prints:
            return frozenset()
        names = [keys.seen(lease.shard, lease.dataset_id, slot) for slot in slots]
        return frozenset(prints[place - 1] for place in self._connection.run("seen", names, list(prints)))

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
