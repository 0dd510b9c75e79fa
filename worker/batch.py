"""One leased batch on its way through the main path: it marks and settles with the store, and keeps the tally."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from schemas import Problem
from worker.datasets import Dataset
from worker.dead_letters import record_of
from worker.dedup import Repetitions
from worker.intake import Sendable, sort_entries
from worker.outcome import Delivered, Detail
from worker.store import DeadEntry, Entry, Exit, Lease, Remembered, Settlement, Store
from worker.store.histograms import DELIVERY_AGE, QUEUE_AGE, post_seconds

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

    def __init__(
        self, store: Store, lease: Lease, dataset: Dataset | None, tally: Tally, *, most_dead: int = 100_000
    ) -> None:
        """Take the batch's lease; with ``most_dead`` dead letters the dataset's ``dead_full`` takes effect."""
        self.lease = lease
        self.dataset = dataset
        self.posts = 0
        self.learnt_batch = 0
        self.rest_ms = 0
        """How long the lane rests when it is released, because a limit of Meta's is near."""
        self.dead_are_full = False
        """Whether the dataset has as many dead letters as it may have, and stands still rather than lose one."""
        self.outcome = ""
        """What the last answer of Meta's meant."""
        self._dead_letters: Counter[tuple[str, int | None, int | None]] = Counter()
        self._rejected_in: str | None = None
        self._posts: Counter[str] = Counter()
        self._repetitions = Repetitions((), 0)
        self._doubted: set[str] = set()
        self._lanes = store.lanes
        self._tally = tally
        self._most_dead = most_dead
        self._started = time.monotonic()

    def validate(self) -> tuple[Sendable, ...]:
        """Let what cannot be sent take its door now, and return what can; nothing left: the lane is released."""
        found = sort_entries(self.lease.entries, now_seconds=self.lease.now_ms / 1000)
        good, repeated = self._without_repetitions(found.good)
        exits, dead = [Exit(("duplicate",), repeated)], list(found.dead)
        if self.dataset and self.dataset.on_in_doubt == "hold" and self.lease.doubt:
            held = [item for item in good if self.lease.in_doubt(item.entry.id)]
            good = [item for item in good if not self.lease.in_doubt(item.entry.id)]
            dead += [self._dead(item, "parked", None) for item in held]
        if (dead or repeated) and good:
            self._settle(Settlement("part", exits=exits, dead=dead))
        elif not good:
            self.release(exits=exits, dead=dead)
        return tuple(good)

    def _without_repetitions(self, good: Sequence[Sendable]) -> tuple[list[Sendable], list[Entry]]:
        """Part what is to be sent from what repeats an event that was delivered."""
        self._repetitions = Repetitions(good, self.dataset.dedup_seconds if self.dataset else 0)
        prints = self._repetitions.prints
        slots = self._repetitions.slots(self.lease.now_ms) if prints else ()
        return self._repetitions.part(self._lanes.repeated(self.lease, slots, prints))

    def mark(self, part: Sequence[Sendable]) -> bool:
        """Write the fenced mark directly before a POST; False: the lease is lost."""
        self.posts += 1
        entries = [item.entry for item in part]
        if not self._lanes.mark(self.lease, self.posts, entries, doubted=frozenset(self._doubted)):
            return False
        self._tally.requests += 1
        return True

    def answered(self, outcome: str, seconds: float) -> None:
        """Note what came of a POST; the next settle counts it."""
        self.outcome = outcome
        histogram = post_seconds(outcome)
        self._posts[histogram.field(seconds)] += 1
        self._posts[histogram.sum_field] += int(seconds * 1000)

    def remember_doubt(self, part: Sequence[Sendable]) -> None:
        """Keep in the store that this part may have been delivered, before another POST is marked."""
        self._doubted |= {item.entry.id for item in part}
        self._settle(Settlement("part", in_doubt=True))

    def delivered(self, part: Sequence[Sendable], outcome: Delivered, freshness_seconds: float, *, last: bool) -> None:
        """Let a part out by the door ``delivered``; with the last one the lane is released in the same script."""
        now = self.lease.now_ms / 1000 + time.monotonic() - self._started
        exits: dict[tuple[bool, bool, bool, str, str], list[Sendable]] = {}
        first_short = len(part) - outcome.shortfall
        for place, item in enumerate(part):
            fresh = now - item.event_time <= freshness_seconds
            born_late = item.enqueued_ms / 1000 - item.event_time > freshness_seconds
            age, queued = DELIVERY_AGE.field(now - item.event_time), QUEUE_AGE.field(now - item.enqueued_ms / 1000)
            exits.setdefault((fresh, born_late, place >= first_short, age, queued), []).append(item)
        groups = [_exit(_counters(*kind), items, now) for kind, items in exits.items()]
        groups.append(Exit(("duplicate",), self._repetitions.twins_of(part)))
        remember = self._repetitions.remembered(part, int(now * 1000))
        if outcome.shortfall:
            log.error(
                "Meta received fewer events than were sent; they are not sent again",
                dataset_id=self.lease.dataset_id,
                events=len(part),
                missing=outcome.shortfall,
                fbtrace_id=outcome.fbtrace_id,
            )
        if last:
            self.release(exits=groups, remember=remember)
        else:
            self._settle(Settlement("part", exits=groups, remember=remember))

    def reject(self, item: Sendable, detail: Detail) -> None:
        """Let one event out by the door ``rejected``, with what Meta said of it."""
        self._settle(Settlement("part", dead=[self._dead(item, "rejected", detail)]), detail)
        self._rejected_in = detail.fbtrace_id

    def release(
        self, *, exits: Sequence[Exit] = (), dead: Sequence[DeadEntry] = (), remember: Remembered | None = None
    ) -> None:
        """Give the lane back: its next turn is when its oldest event has lingered, or now when a full batch waits."""
        linger_ms = int(self.dataset.linger_seconds * 1000) if self.dataset else 0
        self._settle(
            Settlement("release", exits=exits, dead=dead, linger_ms=linger_ms, retry_ms=self.rest_ms, remember=remember)
        )

    def retry(self, wait_ms: int, *, add_try: bool = False, in_doubt: bool = False) -> None:
        """Give the lane back for later; what is left of the batch stays in it."""
        self._settle(Settlement("retry", retry_ms=wait_ms, add_try=add_try, in_doubt=in_doubt))

    @property
    def seconds(self) -> float:
        """How long this batch has been worked on."""
        return time.monotonic() - self._started

    def tell_of_dead_letters(self) -> None:
        """Log the events that wait for a person now: a line for each cause, none for an event."""
        for (door, code, subcode), events in self._dead_letters.items():
            log.error(
                "dead letters written",
                dataset_id=self.lease.dataset_id,
                lane=self.lease.lane,
                door=door,
                events=events,
                code=code,
                subcode=subcode,
                fbtrace_id=self._rejected_in if door == "rejected" else None,
            )

    def _settle(self, settlement: Settlement, detail: Detail | None = None) -> None:
        drops = self.dataset is not None and self.dataset.dead_full == "drop_oldest"
        settled = self._lanes.settle(
            self.lease,
            replace(
                settlement,
                learnt_batch=self.learnt_batch,
                mark_number=self.posts,
                posts=self._posts,
                keep_dead=self._most_dead if drops else 0,
            ),
        )
        self._posts.clear()
        exits, dead = settlement.exits, settlement.dead
        for group, removed in zip(exits, settled.removed, strict=True):
            self._tally.add(group.counters[0], removed)
        if settled.dead_letters == len(dead):
            for item in dead:
                self._tally.add(item.door, 1)
                self._dead_letters[item.door, detail.code if detail else None, detail.subcode if detail else None] += 1
        if dead:
            self.dead_are_full = not drops and settled.dead_letters_kept >= self._most_dead
        if not settled.owned:
            log.warning(
                "settled after the lease was lost",
                dataset_id=self.lease.dataset_id,
                lane=self.lease.lane,
                once_in_seconds=60,
            )

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
            fields=[Problem(path, "blamed", "Meta names this field") for path in detail.fields] if detail else (),
        )
        return DeadEntry(item.entry, door, item.entry.event, record)


def _exit(counters: tuple[str, ...], items: Sequence[Sendable], now: float) -> Exit:
    """Return a group of delivered events with the sums of their ages."""
    return Exit(
        counters,
        [item.entry for item in items],
        age_ms=max(0, int(1000 * now) * len(items) - 1000 * sum([item.event_time for item in items])),
        queue_ms=max(0, int(1000 * now) * len(items) - sum([item.enqueued_ms for item in items])),
    )


def _counters(fresh: bool, born_late: bool, short: bool, *ages: str) -> tuple[str, ...]:  # noqa: FBT001 - a key's members in order
    counters = ["delivered", "fresh" if fresh else "late", *ages]
    if born_late:
        counters.append("born_late")  # no worker could have delivered it fresh
    if short:
        counters.append("shortfall")
    return tuple(counters)
