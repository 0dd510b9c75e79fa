"""The reference event of all subjects: a hashed Purchase of about 1.4 KB, as the producer stores it."""

import time
import uuid
from collections.abc import Iterator, Sequence

from capi_relay.append import Append
from capi_relay.store import AppendStore
from capi_relay.wire import encode
from tests.fakes.events import purchase

_PLACE = "event-id-stands-here"
_CALL_EVENTS = 1000


def stored_events(count: int) -> Iterator[bytes]:
    """Yield the bytes of so many events of now, each with an id of its own."""
    before, after = encode(purchase(_PLACE, int(time.time()))).split(_PLACE.encode())
    run = uuid.uuid4().hex[:8].encode()  # an id that was delivered before would be left out as a duplicate
    for number in range(count):
        yield before + b"%s%06x" % (run, number) + after


def append_store(url: str) -> AppendStore:
    """Return a client that appends with the producer's own script and has time."""
    return AppendStore(url, deadline_seconds=30, full_events=1000, lane_cap=100_000_000, shards=None)


def append(store: AppendStore, dataset_id: str, events: Sequence[bytes], *, linger_ms: int = 0) -> None:
    """Store events that are ready, in calls as large as the producer's."""
    for first in range(0, len(events), _CALL_EVENTS):
        rows = [(event, b"}") for event in events[first : first + _CALL_EVENTS]]
        store.append(Append(dataset_id, uuid.uuid4().hex, linger_ms, {"0": rows}))


def fill(url: str, dataset_ids: Sequence[str], count: int) -> None:
    """Store so many events, spread over the datasets in whole batches."""
    store = append_store(url)
    for batch in range(count // _CALL_EVENTS):
        append(store, dataset_ids[batch % len(dataset_ids)], list(stored_events(_CALL_EVENTS)))
    store.close()
