"""Read all that the metrics tell: one pass over the event store, and one look at the broker."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kombu import Connection
from kombu.exceptions import OperationalError

from worker.hints import QUEUE
from worker.metrics.register import NAMED_DATASETS
from worker.quality import Quality, quality_of
from worker.store import DOORS, DatasetCounts, Memory, Pause, Store, WorkerSign

_BROKER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One installation, as it was found."""

    total: DatasetCounts
    """All datasets added up."""
    oldest_age_seconds: float
    oldest_unpaused_age_seconds: float
    """Of datasets whose events are not held back by a pause that somebody has to end."""
    busiest: Sequence[DatasetCounts]
    """Those that delivered most, by id."""
    qualities: Mapping[str, Quality]
    """Of the busiest."""
    pauses: Mapping[str, Pause]
    datasets: int
    lanes_due: int
    memory: Memory
    workers: Sequence[WorkerSign]
    hints: int | None
    """None: the broker does not answer."""


def read(store: Store, broker_url: str, broker_options: Mapping[str, object]) -> Reading:
    """Read an installation.

    Raises:
        StoreUnavailable: the event store does not answer.
    """
    sums, busiest = _Sums(), list[tuple[int, str, DatasetCounts]]()
    for counts in store.overview.read(store.admin.dataset_ids()):
        sums.add(counts)
        heapq.heappush(busiest, (counts.counters.get("delivered", 0), counts.dataset_id, counts))
        if len(busiest) > NAMED_DATASETS:
            heapq.heappop(busiest)
    named = sorted((counts for _, _, counts in busiest), key=lambda counts: counts.dataset_id)
    qualities = store.quality.read_each([counts.dataset_id for counts in named])
    return Reading(
        total=sums.total(),
        oldest_age_seconds=sums.oldest_age_seconds,
        oldest_unpaused_age_seconds=sums.oldest_unpaused_age_seconds,
        busiest=named,
        qualities={dataset_id: quality_of(fields) for dataset_id, fields in qualities.items()},
        pauses=store.admin.pauses(),  # also of datasets that never had an event
        datasets=sums.datasets,
        lanes_due=store.lanes.look(names=1).eligible_soon,
        memory=store.admin.memory(),
        workers=store.workers.seen(),
        hints=_hints(broker_url, broker_options),
    )


def age_seconds(counts: DatasetCounts) -> float:
    """Return how long a dataset's oldest event has been in its lane; 0: there is none."""
    return 0.0 if counts.oldest_ms is None else max(0, counts.now_ms - counts.oldest_ms) / 1000


class _Sums:
    """Adds datasets up as they are read: ten thousand of them need not be kept."""

    def __init__(self) -> None:
        self.datasets = 0
        self.oldest_age_seconds = self.oldest_unpaused_age_seconds = 0.0
        self._counters: Counter[str] = Counter()
        self._stored = self._in_flight = self._dead = self._unseen = self._now_ms = 0

    def add(self, counts: DatasetCounts) -> None:
        self.datasets += 1
        self.oldest_age_seconds = max(self.oldest_age_seconds, age_seconds(counts))
        if counts.pause is None or counts.pause.reason == "rate_limited":
            self.oldest_unpaused_age_seconds = max(self.oldest_unpaused_age_seconds, age_seconds(counts))
        self._counters.update(counts.counters)
        self._stored += counts.stored
        self._in_flight += counts.in_flight
        self._dead += counts.dead_letters
        self._unseen += counts.unseen_foreign
        self._now_ms = counts.now_ms

    def total(self) -> DatasetCounts:
        return DatasetCounts(
            dataset_id="",
            now_ms=self._now_ms,
            counters=self._counters,
            stored=self._stored,
            in_flight=self._in_flight,
            oldest_ms=None,
            dead_letters=self._dead,
            pause=None,
            unseen_foreign=self._unseen,
            doors={door: self._counters[door] for door in DOORS},
        )


def _hints(broker_url: str, broker_options: Mapping[str, object]) -> int | None:
    options = {**broker_options, "socket_connect_timeout": _BROKER_SECONDS, "socket_timeout": _BROKER_SECONDS}
    with Connection(broker_url, transport_options=options) as connection:
        refusals: tuple[type[BaseException], ...] = (
            OperationalError,
            *connection.connection_errors,
            *connection.channel_errors,
        )
        try:
            connection.ensure_connection(max_retries=1, timeout=_BROKER_SECONDS)
            channel: Any = connection.default_channel  # its type says nothing of the virtual transports
            return int(channel.queue_declare(QUEUE).message_count)  # never passive: see worker/hints.py
        except refusals:
            return None
