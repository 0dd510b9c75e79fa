"""Turn a reading into the samples of the register's metrics; pure. What is not registered has no way out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

from worker.metrics import register as the
from worker.metrics.reading import Reading, age_seconds
from worker.metrics.register import Metric
from worker.outcome import Outcome
from worker.store import DatasetCounts, WorkerSign
from worker.store.histograms import DELIVERY_AGE, QUEUE_AGE, Buckets, post_seconds
from worker.store.records import share_within_hour

_OUTCOMES = tuple(sorted(kind.__name__ for kind in get_args(Outcome)))
# Named from the beginning: Prometheus sees no increase in a series that comes into being.
_PAUSES = ("blocked", "dead_full", "manual", "no_token", "rate_limited", "token", "unknown_code")


class Sample(NamedTuple):
    """One value of a metric."""

    metric: Metric
    labels: tuple[str, ...]
    value: float | Buckets


def samples_of(reading: Reading, *, scrape_seconds: float) -> Iterator[Sample]:
    """Yield every sample of an installation."""
    yield Sample(the.STORE_UP, (), 1)
    yield Sample(the.SCRAPE, (), scrape_seconds)
    yield from _of_counts(reading.total, reading.oldest_age_seconds)
    yield from _of_installation(reading)
    for counts in reading.busiest:
        for metric, labels, value in _of_counts(counts, age_seconds(counts)):
            if metric.each_dataset:
                yield Sample(metric.of_dataset(), (counts.dataset_id, *labels), value)
    for dataset_id, quality in reading.qualities.items():
        if quality.sampled:
            yield Sample(the.QUALITY, (dataset_id,), quality.overall.score)
    for dataset_id, pause in sorted(reading.pauses.items())[: the.NAMED_DATASETS]:
        yield Sample(the.DATASET_PAUSED, (dataset_id, pause.reason), 1)
    yield from _of_workers(reading.workers)


def _of_counts(counts: DatasetCounts, oldest_age_seconds: float) -> Iterator[Sample]:
    """Yield what a dataset's counts say, or those of all added up."""
    counters = counts.counters
    for metric in the.COUNTED:
        if metric.field:
            yield Sample(metric, (), counters.get(metric.field, 0))
    yield Sample(the.FOREIGN, (), counters.get("foreign", 0) + counts.unseen_foreign)
    for door, events in counts.doors.items():
        yield Sample(the.EVENTS, (door,), events)
    for outcome in _OUTCOMES:
        yield Sample(the.POST_SECONDS, (outcome,), post_seconds(outcome).read(counters))
    yield Sample(the.DELIVERY_AGE, (), DELIVERY_AGE.read(counters))
    yield Sample(the.QUEUE_AGE, (), QUEUE_AGE.read(counters))
    yield Sample(the.WAITING, (), counts.stored - counts.in_flight)
    yield Sample(the.IN_FLIGHT, (), counts.in_flight)
    yield Sample(the.OLDEST, (), oldest_age_seconds)
    yield Sample(the.DEAD_LETTERS, (), counts.dead_letters)
    share = share_within_hour(counters)
    if share is not None:
        yield Sample(the.SHARE, (), share)


def _of_installation(reading: Reading) -> Iterator[Sample]:
    yield Sample(the.OLDEST_UNPAUSED, (), reading.oldest_unpaused_age_seconds)
    paused = Counter(pause.reason for pause in reading.pauses.values())
    for reason in sorted({*_PAUSES, *paused}):
        yield Sample(the.PAUSED, (reason,), paused[reason])
    yield Sample(the.DATASETS, (), reading.datasets)
    yield Sample(the.LANES_DUE, (), reading.lanes_due)
    if reading.hints is not None:
        yield Sample(the.HINTS, (), reading.hints)
    yield Sample(the.STORE_USED, (), reading.memory.used_bytes)
    yield Sample(the.STORE_MAX, (), reading.memory.max_bytes)
    yield Sample(the.STORE_WAITING, (), reading.memory.waiting_bytes)
    yield Sample(the.STORE_CAP, (), reading.memory.cap_bytes)
    yield Sample(the.WORKERS, (), len(reading.workers))


def _of_workers(workers: Iterable[WorkerSign]) -> Iterator[Sample]:
    for sign, _ in zip(workers, range(the.NAMED_WORKERS), strict=False):
        label = (sign.name,)
        yield Sample(the.WORKER_SLOTS, label, sign.slots)
        yield Sample(the.WORKER_PUMPS, label, sign.pumps)
        yield Sample(the.WORKER_BUSY, label, sign.busy)
        yield Sample(the.WORKER_RSS, label, sign.rss_bytes)
        yield Sample(the.WORKER_STARTED, label, sign.started_ms / 1000)
        yield Sample(the.WORKER_LAST, label, sign.last_batch_ms / 1000)
