"""Histograms among a dataset's counters: a field a bucket, so that scripts add to them as to any counter; pure."""

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple


class Buckets(NamedTuple):
    """What a histogram holds, as Prometheus has it: each bucket counts all that is not above its bound."""

    cumulative: tuple[tuple[str, int], ...]
    """(bound in seconds, count), ``+Inf`` last."""
    sum_seconds: float

    @property
    def total(self) -> int:
        """How many there are."""
        return self.cumulative[-1][1]


class Histogram:
    """Times in fixed buckets, and their sum in whole milliseconds."""

    def __init__(self, name: str, bounds_seconds: tuple[float, ...]) -> None:
        self.sum_field = f"{name}:ms"
        self._bounds = bounds_seconds
        self._labels = (*(f"{bound:g}" for bound in bounds_seconds), "+Inf")
        self._fields = tuple(f"{name}:{label}" for label in self._labels)

    def field(self, seconds: float) -> str:
        """Return the counter of the bucket that a time falls into."""
        return self._fields[bisect_left(self._bounds, seconds)]

    def read(self, counters: Mapping[str, int]) -> Buckets:
        """Return what the counters hold."""
        count, cumulative = 0, []
        for label, field in zip(self._labels, self._fields, strict=True):
            count += counters.get(field, 0)
            cumulative.append((label, count))
        return Buckets(tuple(cumulative), counters.get(self.sum_field, 0) / 1000)


AGE_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 86_400.0)
DELIVERY_AGE = Histogram("age", AGE_SECONDS)
"""Delivery time minus ``event_time``, of delivered events."""
QUEUE_AGE = Histogram("queue", AGE_SECONDS)
"""Delivery time minus enqueue time, of delivered events."""

_POST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def post_seconds(outcome: str) -> Histogram:
    """Return the histogram of how long POSTs took that had this outcome."""
    return Histogram(f"post:{outcome}", _POST_SECONDS)
