"""The event store in Redis: the only package of the service that speaks Redis."""

from worker.store.admin import DOORS, Admin
from worker.store.connection import Connection
from worker.store.dead import DeadStore
from worker.store.lanes import Lanes, Look
from worker.store.quality import QualityStore
from worker.store.records import DatasetCounts, DeadEntry, Entry, Exit, Lease, Pause, Settled, StoredDeadLetter

__all__ = [
    "DOORS",
    "Admin",
    "Connection",
    "DatasetCounts",
    "DeadEntry",
    "DeadStore",
    "Entry",
    "Exit",
    "Lanes",
    "Lease",
    "Look",
    "Pause",
    "QualityStore",
    "Settled",
    "Store",
    "StoredDeadLetter",
]


class Store:
    """One event store: ``lanes`` for the main path, ``admin`` to look after it, ``dead`` letters, ``quality``."""

    def __init__(
        self,
        url: str,
        *,
        shards: int | None = None,
        lease_seconds: float = 90,
        full_events: int = 1000,
    ) -> None:
        self._connection = Connection(url, shards=shards)
        self.lanes = Lanes(self._connection, lease_seconds=lease_seconds, full_events=full_events)
        self.admin = Admin(self._connection)
        self.dead = DeadStore(self._connection)
        self.quality = QualityStore(self._connection)

    @property
    def shards(self) -> int:
        """Return how many shards the store has."""
        return self._connection.shards

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()
