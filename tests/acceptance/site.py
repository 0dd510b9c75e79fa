"""One whole installation for a test, and its books: what was accepted, what the store says, what the simulator took."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capi_relay import Producer
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator
from worker.store import Store

# A loaded test machine is no reason to refuse an event.
PATIENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Site:
    """A simulator, a relay without workers yet, and two clients of its store."""

    meta: Simulator
    relay: Relay
    store: Store
    producer: Producer
    dataset_ids: tuple[str, ...]

    def accept(self, events: Sequence[Mapping[str, Any]], dataset_id: str) -> None:
        """Enqueue events that all must be accepted."""
        outcomes = self.producer.enqueue_many(events, dataset_id=dataset_id)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert not refused, refused[:3]

    def stored(self) -> int:
        """Count the events that have not left yet."""
        return sum(self.store.admin.counts(name).stored for name in self.dataset_ids)

    def in_flight(self) -> int:
        """Count the events under a live lease."""
        return sum(self.store.admin.counts(name).in_flight for name in self.dataset_ids)

    def counted(self, counter: str) -> int:
        """Add up one counter over all datasets."""
        return sum(self.store.admin.counts(name).counters.get(counter, 0) for name in self.dataset_ids)

    def taken(self) -> int:
        """Count what the simulator took, each occurrence for itself."""
        return sum(tally["events"] for tally in self.meta.ledger()["datasets"].values())

    def occurrences(self) -> Counter[str]:
        """Count how often the simulator took each event id."""
        return Counter(line["event_id"] for line in self.meta.events())

    def wait_until_empty(self, *, seconds: float = 60) -> None:
        """Wait until every event has left by a door."""
        wait_until(lambda: self.stored() == 0, "every event has left", seconds=seconds)


@contextmanager
def running_site(folder: Path, tokens: Mapping[str, str], **settings: str) -> Iterator[Site]:
    """Start a store and a simulator; workers are the test's business."""
    with Simulator(tokens) as meta, Relay(folder, meta.url, tokens, port=None, maxmemory=None, **settings) as relay:
        store = Store(relay.server.url)
        producer = Producer(
            relay.server.url,
            datasets_path=relay.datasets,
            linger_seconds=0.5,
            deadline_seconds=PATIENT_SECONDS,
        )
        try:
            yield Site(meta, relay, store, producer, tuple(tokens))
        finally:
            producer.close()
            store.close()


def fingerprint(event: Mapping[str, Any]) -> str:
    """Return the digest by which the simulator's ledger knows an event."""
    text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
