"""The body of a POST: the events' bytes joined as they are, never encoded again (Meta: main-body).

They are joined only while they are sent: a batch waits for its answer much longer, and would be in memory twice.
"""

import json
from collections.abc import Iterator, Sequence

_HEAD = b'{"data":['
_EVENTS_A_PIECE = 50  # some 64 KB: larger pieces are not sent any faster


class Body:
    """A body of known length that is made piece by piece, any number of times."""

    def __init__(self, events: Sequence[bytes], tail: bytes) -> None:
        self._events = events
        self._tail = tail

    def __len__(self) -> int:
        commas = max(0, len(self._events) - 1)
        return len(_HEAD) + sum(map(len, self._events)) + commas + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        before = _HEAD
        for first in range(0, max(1, len(self._events)), _EVENTS_A_PIECE):
            yield before + b",".join(self._events[first : first + _EVENTS_A_PIECE])
            before = b","
        yield self._tail


def body_of(events: Sequence[bytes], *, test_event_code: str | None = None, partner_agent: str | None = None) -> Body:
    """Return the request's body."""
    extra = {"test_event_code": test_event_code, "partner_agent": partner_agent}
    tail = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in extra.items() if value)
    return Body(events, f"]{tail}}}".encode())
