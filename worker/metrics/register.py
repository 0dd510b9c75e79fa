"""The register: every metric with its kind, unit, labels and meaning; docs/metrics.md is generated from it.

No label holds a text of a producer's or of Meta's: no event name, no id but a dataset's, no value of a person.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, Self

NAMED_DATASETS: Final = 100
"""The most datasets, the busiest ones, that have series of their own; more would be too many series."""
NAMED_WORKERS: Final = 200
"""The most workers that have series of their own."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. A counter that is kept in the store as it stands names its ``field``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    field: str = ""
    each_dataset: bool = False
    """Whether ``capi_dataset_...`` tells the same of the busiest datasets."""

    def of_dataset(self) -> Self:
        """Return the metric that tells the same of one dataset."""
        name = self.name.replace("capi_", "capi_dataset_", 1)
        return replace(self, name=name, labels=("dataset", *self.labels), each_dataset=False)


def _counter(name: str, meaning: str, *labels: str, field: str = "", unit: str = "events") -> Metric:
    return Metric(name, "counter", unit, meaning, labels, field, each_dataset=True)


def _gauge(name: str, meaning: str, *labels: str, unit: str, each_dataset: bool = False) -> Metric:
    return Metric(name, "gauge", unit, meaning, labels, each_dataset=each_dataset)


ENQUEUED = _counter("capi_enqueued_total", "producers put them in", field="enqueued")
REPLAYED = _counter("capi_replayed_total", "dead letters that were put back", field="replayed")
FOREIGN = _counter("capi_foreign_total", "some other hand put them into a lane")
EVENTS = _counter("capi_events_total", "left by this door; each event leaves by one", "door")
FRESH = _counter(
    "capi_delivered_fresh_total", "delivered while not older than `CAPI_FRESHNESS_SECONDS`, an hour", field="fresh"
)
LATE = _counter("capi_delivered_late_total", "delivered when older than that", field="late")
BORN_LATE = _counter(
    "capi_delivered_born_late_total",
    "of the late, those that were too old already when they were enqueued",
    field="born_late",
)
POSSIBLE_DUPLICATES = _counter(
    "capi_possible_duplicates_total", "sent again although Meta may have had them", field="possible_duplicates"
)
SHORTFALL = _counter("capi_shortfall_total", "delivered, and missing in Meta's own count", field="shortfall")
FORGOTTEN = _counter(
    "capi_forgotten_total", "forgotten too early to know their repetition: `CAPI_DEDUP_BYTES`", field="forgotten"
)
DEAD_DROPPED = _counter(
    "capi_dead_dropped_total",
    "the oldest, dropped to make room (`dead_full`)",
    field="dead_dropped",
    unit="dead letters",
)
REQUESTS = _counter("capi_requests_total", "POSTs that were begun", field="requests", unit="requests")
POST_SECONDS = Metric(
    "capi_post_seconds", "histogram", "seconds", "how long a POST took, by its outcome, to the settle", ("outcome",)
)
DELIVERY_AGE = Metric(
    "capi_delivery_age_seconds",
    "histogram",
    "seconds",
    "`event_time` to delivery, of delivered events",
    each_dataset=True,
)
QUEUE_AGE = Metric("capi_queue_age_seconds", "histogram", "seconds", "first enqueued to delivered, of delivered events")

WAITING = _gauge("capi_waiting_events", "are in a lane, and no worker is at them", unit="events", each_dataset=True)
IN_FLIGHT = _gauge("capi_in_flight_events", "a worker is at them", unit="events", each_dataset=True)
OLDEST = _gauge(
    "capi_oldest_age_seconds",
    "how long the oldest event has been in its lane; 0: there is none",
    unit="seconds",
    each_dataset=True,
)
OLDEST_UNPAUSED = _gauge(
    "capi_oldest_unpaused_age_seconds",
    "how long the oldest event has been in its lane, of datasets that are not paused or only `rate_limited`; 0: none",
    unit="seconds",
)
DEAD_LETTERS = _gauge("capi_dead_letters", "are kept now", unit="dead letters", each_dataset=True)
SHARE = _gauge(
    "capi_share_within_hour",
    "delivered fresh, of what was young enough for it when it was enqueued; since the first event",
    unit="share, 0 to 1",
    each_dataset=True,
)
QUALITY = Metric(
    "capi_dataset_match_quality",
    "gauge",
    "points, 0 to 10",
    "how well Meta can match its events to people: an estimate of our own, of samples",
    ("dataset",),
)
PAUSED = _gauge("capi_paused", "paused now, by reason", "reason", unit="datasets")
DATASET_PAUSED = Metric("capi_dataset_paused", "gauge", "1", "this dataset is paused now", ("dataset", "reason"))

DATASETS = _gauge("capi_datasets", "ever had an event", unit="datasets")
LANES_DUE = _gauge("capi_lanes_due", "may be taken now, and no worker has", unit="lanes")
HINTS = _gauge("capi_hints_queued", "wait in the broker; absent while it does not answer", unit="messages")
STORE_UP = _gauge("capi_store_up", "the event store answers; without it there is no other metric", unit="1 or 0")
STORE_USED = _gauge("capi_store_used_bytes", "the event store's server uses", unit="bytes")
STORE_MAX = _gauge("capi_store_max_bytes", "its `maxmemory`; 0: no limit", unit="bytes")
STORE_WAITING = _gauge("capi_store_waiting_bytes", "events and dead letters take", unit="bytes")
STORE_CAP = _gauge("capi_store_cap_bytes", "they may take before producers are refused; 0: no limit", unit="bytes")
SCRAPE = _gauge("capi_scrape_seconds", "reading all this took", unit="seconds")

WORKERS = _gauge("capi_workers", "told of themselves within the last minute", unit="processes")
_OF_WORKER = ("worker",)
WORKER_SLOTS = Metric("capi_worker_slots", "gauge", "lanes", "it can work on at once", _OF_WORKER)
WORKER_PUMPS = Metric("capi_worker_pumps", "gauge", "pumps", "running `capi.deliver`", _OF_WORKER)
WORKER_BUSY = Metric("capi_worker_busy", "gauge", "lanes", "it works on now", _OF_WORKER)
WORKER_RSS = Metric("capi_worker_rss_bytes", "gauge", "bytes", "its memory (RSS)", _OF_WORKER)
WORKER_STARTED = Metric("capi_worker_start_seconds", "gauge", "Unix seconds", "it was started", _OF_WORKER)
WORKER_LAST = Metric(
    "capi_worker_last_batch_seconds", "gauge", "Unix seconds", "it took its last batch; 0: none yet", _OF_WORKER
)

COUNTED: Final = (
    ENQUEUED, REPLAYED, FOREIGN, EVENTS, FRESH, LATE, BORN_LATE, POSSIBLE_DUPLICATES, SHORTFALL, FORGOTTEN,
    DEAD_DROPPED,
    REQUESTS, POST_SECONDS, DELIVERY_AGE, QUEUE_AGE, WAITING, IN_FLIGHT, OLDEST, DEAD_LETTERS, SHARE,
)  # fmt: skip
"""What is read from the datasets' counts."""
OF_INSTALLATION: Final = (
    OLDEST_UNPAUSED, PAUSED, DATASETS, LANES_DUE, HINTS, STORE_UP, STORE_USED, STORE_MAX, STORE_WAITING, STORE_CAP,
    SCRAPE, WORKERS,
)  # fmt: skip
OF_WORKERS: Final = (WORKER_SLOTS, WORKER_PUMPS, WORKER_BUSY, WORKER_RSS, WORKER_STARTED, WORKER_LAST)
OF_DATASETS: Final = (*(each.of_dataset() for each in COUNTED if each.each_dataset), QUALITY, DATASET_PAUSED)
ALL: Final = (*COUNTED, *OF_INSTALLATION, *OF_WORKERS, *OF_DATASETS)
