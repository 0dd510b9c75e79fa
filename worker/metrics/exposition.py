"""The metrics in Prometheus' text format, read anew at each scrape."""

import time
from collections.abc import Callable, Iterable, Iterator

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from worker.errors import StoreUnavailable
from worker.metrics import register as the
from worker.metrics.reading import Reading
from worker.metrics.samples import Sample, samples_of
from worker.store.histograms import Buckets

log = structlog.get_logger(__name__)

_FAMILIES = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


class Installation(Collector):
    """Reads the whole installation when it is asked for its metrics."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def collect(self) -> Iterator[Family]:
        """Yield every metric; the one that tells that the event store is away, while it is."""
        started = time.monotonic()
        try:
            reading = self._read()
        except StoreUnavailable as error:
            log.warning("no metrics until the event store answers", why=str(error), once_in_seconds=60)
            return families_of([Sample(the.STORE_UP, (), 0)])
        return families_of(samples_of(reading, scrape_seconds=time.monotonic() - started))

    def describe(self) -> Iterable[Family]:
        """Say nothing beforehand: the registry would read the store to find out names that are unique anyway."""
        return ()


def registry_of(read: Callable[[], Reading]) -> CollectorRegistry:
    """Return what serves these metrics and no others."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Installation(read))
    return registry


def text_of(registry: CollectorRegistry) -> str:
    """Return the metrics as text."""
    return generate_latest(registry).decode()


def families_of(samples: Iterable[Sample]) -> Iterator[Family]:
    """Group samples by metric, as the format wants them."""
    found: dict[str, Family] = {}
    for metric, labels, value in samples:
        help_text = f"{metric.meaning} ({metric.unit})"
        family = found.get(metric.name)
        if isinstance(value, Buckets):
            if not isinstance(family, HistogramMetricFamily):
                family = found[metric.name] = HistogramMetricFamily(metric.name, help_text, labels=metric.labels)
            family.add_metric(labels, value.cumulative, value.sum_seconds)
            continue
        if not isinstance(family, CounterMetricFamily | GaugeMetricFamily):
            family = found[metric.name] = _FAMILIES[metric.kind](metric.name, help_text, labels=metric.labels)
        family.add_metric(labels, value)
    yield from found.values()
