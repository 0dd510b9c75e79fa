"""Which datasets answered slowly of late, kept in Redis for workers that start: else each would find out anew."""

from capi_relay import keys
from worker.store.connection import Connection


class SlowDatasets:
    """One set a shard."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ids(self) -> list[str]:
        """Return them all."""
        found: set[bytes] = set()
        for shard in range(self._connection.shards):
            found |= self._connection.command("SMEMBERS", keys.slow(shard))
        return sorted(item.decode() for item in found)

    def note(self, dataset_id: str, *, slow: bool) -> None:
        """Say that a dataset became slow, or is no longer."""
        shard = keys.shard_of(dataset_id, self._connection.shards)
        self._connection.command("SADD" if slow else "SREM", keys.slow(shard), dataset_id)
