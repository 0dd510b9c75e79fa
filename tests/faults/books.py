"""The three ledgers of a run under faults (what was accepted, what Meta took, what the store says), and their audit.

Pure but for ``dump``. The invariants are equations between sets: a run proves something whatever happened in it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import redis

from capi_relay import keys
from tests.acceptance.site import Site
from worker.dead_letters import read_letter
from worker.store import DatasetCounts

Place = tuple[str, str]
"""Dataset and fingerprint: where an event must arrive, and as what."""


@dataclass(slots=True)
class AcceptLog:
    """What the producers were told, by event id."""

    accepted: dict[str, Place] = field(default_factory=dict)
    in_doubt: dict[str, Place] = field(default_factory=dict)
    """Offered, and nobody heard the answer: they may arrive, or not."""
    offered_again: set[str] = field(default_factory=set)
    """Offered in a second call by the shop itself: twice may be its own doing."""
    calls: list[frozenset[str]] = field(default_factory=list)
    """The ids of each call, where it must be stored whole or not at all."""


@dataclass(frozen=True, slots=True)
class StoreDump:
    """What the event store holds."""

    counts: Mapping[str, DatasetCounts]
    dead: Mapping[str, Sequence[tuple[str, str]]]
    """Per dataset: event id and reason of each dead letter."""
    lanes: Mapping[str, tuple[int, bool, bool]]
    """Length of each lane's stream, whether it is in ``due``, whether in ``held``."""
    states: Sequence[str]
    """Keys of lane state, and of remembered calls that would stay for ever."""
    bytes_counted: int
    bytes_dead: int
    text: str
    """Every value there is, to look for what must not be there."""


@dataclass(frozen=True, slots=True)
class Books:
    """All three ledgers of a run, when it has come to rest."""

    log: AcceptLog
    taken: Sequence[Mapping[str, Any]]
    """Every occurrence that the simulator recorded."""
    asked: Mapping[str, int]
    """Requests that reached the simulator, per dataset."""
    tokens: Mapping[str, str]
    store: StoreDump
    sinks: Mapping[str, str] = field(default_factory=dict)
    canaries: Sequence[str] = ()

    def occurrences(self) -> Counter[str]:
        """Count how often the simulator took each event id."""
        return Counter(str(line["event_id"]) for line in self.taken)

    def counter(self, name: str) -> int:
        """Add up one counter over all datasets."""
        return sum(counts.counters.get(name, 0) for counts in self.store.counts.values())

    @property
    def duplicates(self) -> int:
        """Count the arrivals beyond the first, but those that the shop provoked."""
        again = self.log.offered_again
        return sum(times - 1 for event_id, times in self.occurrences().items() if event_id not in again)

    @property
    def lost(self) -> set[str]:
        """Name the accepted events that are nowhere."""
        dead = {event_id for letters in self.store.dead.values() for event_id, _ in letters}
        return self.log.accepted.keys() - self.occurrences().keys() - dead

    def summary(self) -> str:
        """Return the ledger in one line."""
        doors = Counter(reason for letters in self.store.dead.values() for _, reason in letters)
        dead = ", ".join(f"{door} {count}" for door, count in sorted(doors.items())) or "none"
        return (
            f"accepted {len(self.log.accepted)}, in doubt {len(self.log.in_doubt)}, arrived {len(self.occurrences())}, "
            f"duplicates {self.duplicates}, possible {self.counter('possible_duplicates')}, dead {dead}, "
            f"stored {sum(counts.stored for counts in self.store.counts.values())}, lost {len(self.lost)}"
        )


def violations(books: Books) -> list[str]:
    """Return every promise that the ledgers show broken, in words; for a run that has come to rest."""
    return [*_events(books), *_counts(books), *_index(books.store), *_leaks(books)]


def _events(books: Books) -> Iterator[str]:
    if books.lost:
        yield f"lost: {len(books.lost)} accepted events are nowhere, {sorted(books.lost)[:3]} among them"
    known = books.log.in_doubt | books.log.accepted
    for line in books.taken:
        place = known.get(str(line["event_id"]))
        if place is None:
            yield f"invented: {line['event_id']} arrived, and nobody enqueued it"
        elif place != (line["dataset"], line["sha256"]):
            yield f"changed: {line['event_id']} arrived elsewhere than meant, or not as it was accepted"
        if line["token_fingerprint"] != sha256(books.tokens[line["dataset"]].encode()).hexdigest()[:12]:
            yield f"mixed up: dataset {line['dataset']} was sent to with a token of another"
    dead = {event_id for letters in books.store.dead.values() for event_id, _ in letters}
    there = books.occurrences().keys() | dead
    for call in books.log.calls:
        if call & there and call - there:
            yield f"half a call: {len(call & there)} of {len(call)} events of one call were stored"


def _counts(books: Books) -> Iterator[str]:
    for name, counts in books.store.counts.items():
        if counts.unaccounted:
            yield f"books: {counts.unaccounted} events of dataset {name} are unaccounted for"
        if counts.stored or counts.in_flight:
            yield f"stuck: dataset {name} still holds {counts.stored} events"
        marks = counts.counters.get("requests", 0)
        if books.asked.get(name, 0) > marks:
            yield f"unmarked: dataset {name} got {books.asked[name]} requests and only {marks} marks"
    enqueued, offered = books.counter("enqueued"), len(books.log.accepted.keys() | books.log.in_doubt)
    if enqueued > offered and not books.log.offered_again:
        yield f"stored twice: {enqueued} events were stored, only {offered} were offered"
    possible = books.counter("possible_duplicates")
    if books.duplicates > possible:
        yield f"duplicates: {books.duplicates} arrived again, only {possible} were counted as possible"


def _index(store: StoreDump) -> Iterator[str]:
    for lane, (length, due, held) in store.lanes.items():
        if (length > 0) != (due or held) or (due and held):
            yield f"index: lane {lane} holds {length} events, in due: {due}, in held: {held}"
    if store.states:
        yield f"left over: {', '.join(store.states)}"
    if store.bytes_counted != store.bytes_dead:
        yield f"left over: {store.bytes_counted} waiting bytes are counted, the dead letters hold {store.bytes_dead}"


def _leaks(books: Books) -> Iterator[str]:
    for sink, text in {**books.sinks, "the event store": books.store.text}.items():
        for canary in books.canaries:
            if canary in text:
                yield f"leaked: a planted secret stands in {sink}"


_ENTRY_BYTES = 128


def dump(site: Site) -> StoreDump:
    """Read everything from a site's store."""
    letters = {name: list(site.store.dead.read(name)) for name in site.dataset_ids}
    with redis.Redis.from_url(site.relay.server.url, protocol=2) as client:
        names = [name.decode() for name in client.scan_iter("capi1:*", count=1000)]
        due = {lane.decode() for lane in client.zrange(keys.due(0), 0, -1)}
        held = {lane.decode() for lane in client.zrange(keys.held(0), 0, -1)}
        streams = [name.removeprefix(keys.stream(0, "")) for name in names if name.startswith(keys.stream(0, ""))]
        lanes = {
            lane: (client.xlen(keys.stream(0, lane)), lane in due, lane in held) for lane in {*streams, *due, *held}
        }
        calls = [name for name in names if name.startswith(keys.call(0, "")) and client.ttl(name) == -1]
        states = [name for name in names if name.startswith(keys.state(0, ""))]
        text = repr([client.dump(name) for name in names])
        counted = int(client.hget(keys.size(0), "bytes") or 0)
    return StoreDump(
        counts={name: site.store.admin.counts(name) for name in site.dataset_ids},
        dead={
            name: [(read_letter(letter).event_id, read_letter(letter).reason) for letter in found]
            for name, found in letters.items()
        },
        lanes=lanes,
        states=[*states, *calls],
        bytes_counted=counted,
        bytes_dead=sum(
            len(each.event) + len(each.record) + _ENTRY_BYTES for found in letters.values() for each in found
        ),
        text=text,
    )


def books_of(site: Site, log: AcceptLog, tokens: Mapping[str, str], canaries: Sequence[str] = ()) -> Books:
    """Close the books of a site that has come to rest."""
    asked = {name: tally["requests"] for name, tally in site.meta.ledger()["datasets"].items()}
    worker_log = site.relay.log.read_text(errors="replace") if site.relay.log.exists() else ""
    return Books(log, site.meta.events(), asked, tokens, dump(site), {"the worker's log": worker_log}, canaries)
