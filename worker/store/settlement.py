"""What a settle is told: which events leave by which doors, and what becomes of the lane; as the script reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from capi_relay import keys
from worker.store.records import DeadEntry, Exit, Lease

REMEMBERED_BYTES = 66
"""What one remembered event takes at most (Redis 7.0); Valkey 9 takes 39 to 52 (benchmarks/README.md, "Store")."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a dataset is to remember of a delivery, so that its repetition is known."""

    slots: Sequence[int] = ()
    """The slots that count, the current one first."""
    keep_ms: int = 0
    """For how long a slot is kept."""
    prints: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """One settle."""

    then: Literal["part", "release", "retry"]
    """``part`` keeps the lease, ``release`` gives the lane back, ``retry`` gives it back for ``retry_ms`` from now."""
    exits: Sequence[Exit] = ()
    dead: Sequence[DeadEntry] = ()
    retry_ms: int = 0
    linger_ms: int = 0
    in_doubt: bool = False
    """Whether what was marked last may be delivered."""
    add_try: bool = False
    learnt_batch: int = 0
    mark_number: int | None = None
    """Of the lease's last mark: a call that comes late over a broken connection cannot undo a mark made since."""
    remember: Remembered | None = None
    posts: Mapping[str, int] = field(default_factory=dict)
    """Counters of the POSTs since the last settle; what a settle after the lease was lost tells is not counted."""
    keep_dead: int = 0
    """With a number, the oldest dead letters beyond it are dropped, and counted."""

    @property
    def groups(self) -> list[Exit]:
        """The exits that let something out."""
        return [group for group in self.exits if group.entries]

    def keys(self, lease: Lease) -> list[str]:
        """Return the names of the script's keys."""
        shard, lane, dataset_id = lease.shard, lease.lane, lease.dataset_id
        slots = self.remember.slots if self.remember else ()
        return [
            keys.stream(shard, lane),
            keys.due(shard),
            keys.held(shard),
            keys.state(shard, lane),
            keys.dataset(shard, dataset_id),
            keys.size(shard),
            keys.counters(shard, dataset_id),
            keys.dead(shard, dataset_id),
            keys.paused(shard),
            keys.datasets(shard),
            *(keys.seen(shard, dataset_id, slot) for slot in slots),
        ]

    def arguments(self, lease: Lease, *, full_events: int, remember_events: int) -> list[str | bytes | int]:
        """Return the script's arguments."""
        memory, groups = self.remember or Remembered(), self.groups
        args: list[str | bytes | int] = [
            *(lease.lane, lease.token, self.then, self.retry_ms, self.linger_ms, full_events),
            *("doubt" if self.in_doubt else "taken", int(self.add_try), self.learnt_batch, len(groups), len(self.dead)),
            *(memory.keep_ms, remember_events, self.keep_dead),
            "" if self.mark_number is None else self.mark_number,
            len(memory.prints),
            *memory.prints,
        ]
        for group in groups:
            args += [len(group.counters), *group.counters, group.age_ms, group.queue_ms]
            args.append(sum(len(entry.event) for entry in group.entries))
            args += [len(group.entries), *(entry.id for entry in group.entries)]
        for item in self.dead:
            args += [item.entry.id, item.door, len(item.entry.event), item.event, item.entry.meta, item.record]
        return [*args, *(word for pair in self.posts.items() for word in pair)]
