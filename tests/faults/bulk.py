"""Many small events at once, stored past the producer's preparation: for loads whose making is not what is measured."""

import uuid

from capi_relay.append import Append
from capi_relay.personal import protect
from capi_relay.store import AppendStore
from capi_relay.wire import encode
from tests.fakes import events

CALL_EVENTS = 1000
LINGER_MS = 500


def small_event(event_id: str) -> events.Event:
    """Return a valid event of some 250 bytes."""
    return events.lead(event_id, user_data={"em": [events.digest("ada@example.com")]})


class Bulk:
    """Appends with the producer's own script."""

    def __init__(self, url: str) -> None:
        self._store = AppendStore(url, deadline_seconds=30, full_events=1000, lane_cap=10**8, shards=1)

    def append(self, dataset_id: str, count: int) -> None:
        """Store so many events of now, each with an id of its own."""
        place, run = "event-id-stands-here", uuid.uuid4().hex
        before, _, after = encode(protect(small_event(place))[0]).partition(place.encode())
        for first in range(0, count, CALL_EVENTS):
            numbers = range(first, min(first + CALL_EVENTS, count))
            rows = [(before + f"{run}-{number}".encode() + after, b"}") for number in numbers]
            self._store.append(Append(dataset_id, uuid.uuid4().hex, LINGER_MS, {"0": rows}))

    def close(self) -> None:
        """Close the connection."""
        self._store.close()
