"""One leased batch on its way through the main path: it marks and settles with the store, and keeps the tally."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from worker.datasets import Dataset
from worker.dead_letters import record_of
from worker.intake import Sendable, sort_entries
from worker.outcome import Delivered, Detail
from worker.store import DeadEntry, Exit, Lease, Store

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Tally:
    """What a pump did: a summary a person can read in Flower."""

    lanes: int = 0
    requests: int = 0
    doors: Counter[str] = field(default_factory=Counter)

    def add(self, door: str, events: int) -> None:
        """Count events that really left by a door."""
        if events:
            self.doors[door] += events


class Batch:
    """What happens to one batch between its lease and its release."""

    def __init__(self, store: Store, lease: Lease, dataset: Dataset | None, tally: Tally) -> None:
        self.lease = lease
        self.dataset = dataset
        self.posts = 0
        self.learnt_batch = 0
        self._doubted: set[str] = set()
        self._lanes = store.lanes
        self._tally = tally
        self._started = time.monotonic()

    def validate(self) -> tuple[Sendable, ...]:
        """Let what cannot be sent take its door now, and return what can; nothing left: the lane is released."""
        found = sort_entries(self.lease.entries, now_seconds=self.lease.now_ms / 1000)
        good, dead = list(found.good), list(found.dead)
        if self.dataset and self.dataset.on_in_doubt == "hold" and self.lease.doubt:
            held = [item for item in good if self.lease.in_doubt(item.entry.id)]
            good = [item for item in good if not self.lease.in_doubt(item.entry.id)]
            dead += [self._dead(item, "parked", None) for item in held]
        if dead and good:
            self._settle(dead=dead, then="part")
        elif not good:
            self.release(dead=dead)
        return tuple(good)

    def mark(self, part: Sequence[Sendable]) -> bool:
        """Write the fenced mark directly before a POST; False: the lease is lost."""
        self.posts += 1
        entries = [item.entry for item in part]
        if not self._lanes.mark(self.lease, self.posts, entries, doubted=frozenset(self._doubted)):
            return False
        self._tally.requests += 1
        return True

    def remember_doubt(self, part: Sequence[Sendable]) -> None:
        """Keep in the store that this part may have been delivered, before another POST is marked."""
        self._doubted |= {item.entry.id for item in part}
        self._settle(then="part", in_doubt=True)

    def delivered(self, part: Sequence[Sendable], outcome: Delivered, freshness_seconds: float, *, last: bool) -> None:
        """Let a part out by the door ``delivered``; with the last one the lane is released in the same script."""
        now = self.lease.now_ms / 1000 + time.monotonic() - self._started
        exits: dict[tuple[str, ...], list[Sendable]] = {}
        for place, item in enumerate(part):
            fresh = now - item.event_time <= freshness_seconds
            counters = ["delivered", "fresh" if fresh else "late"]
            if item.enqueued_ms / 1000 - item.event_time > freshness_seconds:
                counters.append("born_late")  # no worker could have delivered it fresh
            if place >= len(part) - outcome.shortfall:
                counters.append("shortfall")
            exits.setdefault(tuple(counters), []).append(item)
        groups = [Exit(counters, [item.entry for item in items]) for counters, items in exits.items()]
        if outcome.shortfall:
            log.error(
                "Meta received fewer events than were sent; they are not sent again",
                dataset_id=self.lease.dataset_id,
                events=len(part),
                missing=outcome.shortfall,
                fbtrace_id=outcome.fbtrace_id,
            )
        if last:
            self.release(exits=groups)
        else:
            self._settle(exits=groups, then="part")

    def reject(self, item: Sendable, detail: Detail) -> None:
        """Let one event out by the door ``rejected``, with what Meta said of it."""
        self._settle(dead=[self._dead(item, "rejected", detail)], then="part")

    def release(self, *, exits: Sequence[Exit] = (), dead: Sequence[DeadEntry] = ()) -> None:
        """Give the lane back: its next turn is when its oldest event has lingered, or now when a full batch waits."""
        linger_ms = int(self.dataset.linger_seconds * 1000) if self.dataset else 0
        self._settle(exits=exits, dead=dead, then="release", linger_ms=linger_ms)

    def retry(self, wait_ms: int, *, add_try: bool = False, in_doubt: bool = False) -> None:
        """Give the lane back for later; what is left of the batch stays in it."""
        self._settle(then="retry", retry_ms=wait_ms, add_try=add_try, in_doubt=in_doubt)

    def _settle(
        self,
        *,
        then: Literal["part", "release", "retry"],
        exits: Sequence[Exit] = (),
        dead: Sequence[DeadEntry] = (),
        linger_ms: int = 0,
        retry_ms: int = 0,
        add_try: bool = False,
        in_doubt: bool = False,
    ) -> None:
        settled = self._lanes.settle(
            self.lease,
            exits=exits,
            dead=dead,
            then=then,
            retry_ms=retry_ms,
            linger_ms=linger_ms,
            in_doubt=in_doubt,
            add_try=add_try,
            learnt_batch=self.learnt_batch,
        )
        for group, removed in zip(exits, settled.removed, strict=True):
            self._tally.add(group.counters[0], removed)
        if settled.dead_letters == len(dead):
            for item in dead:
                self._tally.add(item.door, 1)
        if dead:
            log.warning(
                "dead letters written",
                dataset_id=self.lease.dataset_id,
                events=settled.dead_letters,
                doors=dict(Counter(item.door for item in dead)),
            )
        if not settled.owned:
            log.warning("settled after the lease was lost", dataset_id=self.lease.dataset_id, lane=self.lease.lane)

    def _dead(self, item: Sendable, door: str, detail: Detail | None) -> DeadEntry:
        record = record_of(
            reason=door,
            event={"event_id": item.event_id, "event_name": item.event_name},
            enqueued_ms=item.enqueued_ms,
            attempts=self.lease.tries + 1,
            code=detail.code if detail else None,
            subcode=detail.subcode if detail else None,
            title=detail.title if detail else "",
            fbtrace_id=detail.fbtrace_id if detail else None,
        )
        return DeadEntry(item.entry, door, item.entry.event, record)
