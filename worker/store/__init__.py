"""The event store in Redis: the only package of the service that speaks Redis."""

from worker.store.admin import DOORS, Admin
from worker.store.connection import Connection
from worker.store.dead import DeadStore
from worker.store.eraser import Erased, Eraser
from worker.store.lanes import Lanes, Look
from worker.store.overview import Overview
from worker.store.quality import QualityStore
from worker.store.records import (
    DatasetCounts,
    DeadEntry,
    Entry,
    Exit,
    Lease,
    Memory,
    Pause,
    Settled,
    StoredDeadLetter,
)
from worker.store.server import Server
from worker.store.settlement import Remembered, Settlement
from worker.store.slow import SlowDatasets
from worker.store.workers import Workers, WorkerSign

__all__ = [
    "DOORS",
    "Admin",
    "Connection",
    "DatasetCounts",
    "DeadEntry",
    "DeadStore",
    "Entry",
    "Erased",
    "Eraser",
    "Exit",
    "Lanes",
    "Lease",
    "Look",
    "Memory",
    "Overview",
    "Pause",
    "QualityStore",
    "Remembered",
    "Server",
    "Settled",
    "Settlement",
    "Store",
    "StoredDeadLetter",
    "WorkerSign",
    "Workers",
]


class Store:
    """One event store: ``lanes`` for the main path, ``admin`` to look after it, and what stands beside."""

    def __init__(
        self,
        url: str,
        *,
        shards: int | None = None,
        lease_seconds: float = 90,
        full_events: int = 1000,
        remember_bytes: int = 256_000_000,
        patient: bool = True,
    ) -> None:
        self._connection = Connection(url, shards=shards, patient=patient)
        self.lanes = Lanes(
            self._connection, lease_seconds=lease_seconds, full_events=full_events, remember_bytes=remember_bytes
        )
        self.admin = Admin(self._connection)
        self.overview = Overview(self._connection, self.admin)
        self.dead = DeadStore(self._connection)
        self.eraser = Eraser(self._connection)
        self.quality = QualityStore(self._connection)
        self.slow = SlowDatasets(self._connection)
        self.workers = Workers(self._connection)
        self.server = Server(self._connection)

    @property
    def shards(self) -> int:
        """Return how many shards the store has."""
        return self._connection.shards

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()
