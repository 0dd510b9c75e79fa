"""The composition root: what one worker process is made of, built from the settings."""

from dataclasses import dataclass

from schemas.messaging import take_event_names
from worker.breaker import LocalBreaker
from worker.bulkhead import Bulkhead
from worker.datasets import Datasets
from worker.graph import GraphClient
from worker.pump import Pump
from worker.relay import Relay
from worker.settings import Settings
from worker.shutdown import Shutdown
from worker.store import Store


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one process, each made once."""

    settings: Settings
    store: Store
    datasets: Datasets
    pump: Pump
    breaker: LocalBreaker


def open_store(settings: Settings, *, patient: bool = True) -> Store:
    """Make a client of the event store, patient with silence or not; nothing is opened before its first use."""
    return Store(
        settings.redis_url,
        shards=settings.shards,
        lease_seconds=settings.lease_seconds,
        full_events=settings.batch_events,
        remember_bytes=settings.dedup_bytes,
        patient=patient,
    )


def build(settings: Settings, shutdown: Shutdown) -> Runtime:
    """Put a process together; nothing is opened before its first use."""
    take_event_names(settings.messaging_event_names)
    store = open_store(settings)
    datasets = Datasets(settings)
    breaker = LocalBreaker()
    bulkhead = Bulkhead(settings.concurrency)
    graph = GraphClient(
        url=settings.graph_url,
        version=settings.graph_version,
        total_seconds=settings.http_total_seconds,
    )
    relay = Relay(
        store=store,
        graph=graph,
        datasets=datasets,
        breaker=breaker,
        bulkhead=bulkhead,
        freshness_seconds=settings.freshness_seconds,
        dead_letters=settings.dead_letters,
        stopping=shutdown.is_set,
    )
    pump = Pump(
        store=store,
        relay=relay,
        breaker=breaker,
        bulkhead=bulkhead,
        shutdown=shutdown,
        budget_seconds=settings.pump_seconds,
        max_events=settings.batch_events,
        max_bytes=settings.batch_bytes,
    )
    return Runtime(settings, store, datasets, pump, breaker)
