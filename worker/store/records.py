"""What the store hands out: plain data, no behaviour beyond reading it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from capi_relay.keys import LATE_LANE, STORE_LANE


def id_key(entry_id: str) -> tuple[int, int]:
    """Return a stream id as numbers, in the order of the stream."""
    ms, _, sequence = entry_id.partition("-")
    return int(ms), int(sequence)


class Entry(NamedTuple):
    """One stored event: its stream id, the exact bytes that are sent, and what we added."""

    id: str
    event: bytes
    meta: bytes


@dataclass(frozen=True, slots=True)
class Lease:
    """The exclusive, expiring right to work on a lane, and the batch that was read under it."""

    shard: int
    lane: str
    dataset_id: str
    token: str
    now_ms: int
    """Redis time of the claim."""
    entries: tuple[Entry, ...]
    tries: int = 0
    """Answers in a row that were no success."""
    pause_failures: int = 0
    """Pauses of the dataset in a row; a longer one follows."""
    crashed: bool = False
    """The one entry of this batch has killed its worker again and again."""
    doubt: tuple[tuple[int, int], tuple[int, int]] | None = None
    """First and last id of what an earlier POST may have delivered."""
    newer: int = 0
    """Entries of a newer format that were left in place."""
    behind: int = 0
    """Events of the lane that are not in this batch."""
    tests_pause: str = ""
    """The reason of a pause of all datasets of a token that has run out, and that this batch tests; else empty."""

    def in_doubt(self, entry_id: str) -> bool:
        """Say whether an earlier POST may have delivered this entry."""
        return self.doubt is not None and self.doubt[0] <= id_key(entry_id) <= self.doubt[1]

    def holds_up_newer(self, freshness_seconds: float) -> bool:
        """Say whether the batch begins with what became late while it waited, and more waits behind it."""
        name = self.lane.partition("/")[2]
        enqueued_ms = id_key(self.entries[0].id)[0]
        is_late = self.now_ms - enqueued_ms > freshness_seconds * 1000
        return is_late and self.behind > 0 and self.doubt is None and name not in (LATE_LANE, STORE_LANE)


@dataclass(frozen=True, slots=True)
class Exit:
    """Entries that leave by one door, without a dead letter: the counters to raise for each, the door first."""

    counters: tuple[str, ...]
    entries: Sequence[Entry]
    age_ms: int = 0
    """The sum of their ages; the script adds the share of those that it removes."""
    queue_ms: int = 0
    """The same of the times since they were enqueued."""


@dataclass(frozen=True, slots=True)
class DeadEntry:
    """An entry that leaves by a door that keeps it: what is written to the dead letters."""

    entry: Entry
    door: str
    event: bytes
    """What to keep: the stored bytes, or a copy whose raw personal data was hashed."""
    record: str
    """JSON that explains it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settle really removed."""

    owned: bool
    """False: the lease had passed to somebody else; what was removed stays removed."""
    removed: tuple[int, ...]
    """Per exit, in order."""
    dead_letters: int
    """Written now."""
    dead_letters_kept: int
    """There are."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and until when a dataset is paused."""

    reason: str
    until_ms: int | None
    """None: until somebody resumes it."""
    code: str = ""
    subcode: str = ""
    fingerprint: str = ""
    detail: str = ""
    age_ms: int = field(default=0, compare=False)
    scope: str = "dataset"
    """``token``: it concerns all datasets that share the access token."""


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """One dataset at one instant: its counters, its lanes, its pause."""

    dataset_id: str
    now_ms: int
    counters: Mapping[str, int]
    stored: int
    """Events in its streams, those in flight included."""
    in_flight: int
    oldest_ms: int | None
    """Enqueue time of the oldest stored event (or of its last move), Redis time."""
    dead_letters: int
    pause: Pause | None
    unseen_foreign: int = 0
    doors: Mapping[str, int] = field(default_factory=dict)

    @property
    def unaccounted(self) -> int:
        """Events that came in and are nowhere (positive), or are somewhere and never came in (negative)."""
        came = sum(self.counters.get(name, 0) for name in ("enqueued", "replayed", "foreign")) + self.unseen_foreign
        return came - self.stored - sum(self.doors.values())


@dataclass(frozen=True, slots=True)
class Memory:
    """How full the event store is; all shards together."""

    used_bytes: int
    max_bytes: int
    """0: no limit."""
    waiting_bytes: int
    """Of events and dead letters, as our scripts count them."""
    cap_bytes: int
    """So many may wait; 0: no limit."""


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A dead letter as it lies in Redis."""

    id: str
    dataset_id: str
    event: bytes
    meta: bytes
    record: bytes


def share_within_hour(counters: Mapping[str, int]) -> float | None:
    """Return the share that was delivered fresh, of what was young enough for it when it was enqueued; None of none."""
    possible = counters.get("delivered", 0) - counters.get("born_late", 0)
    return counters.get("fresh", 0) / possible if possible > 0 else None
