"""What samples of a dataset's delivered events lacked, as it lies in Redis: one hash of whole numbers a dataset."""

from collections.abc import Mapping, Sequence

from capi_relay import keys
from worker.store.connection import Connection

# Then all numbers are halved: older samples fade, and what was mended shows after about so many new ones.
MAX_SAMPLES = 10_000


class QualityStore:
    """Adds to the numbers and reads them; what they mean is said in worker/quality.py."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, dataset_id: str, fields: Mapping[str, int], *, max_samples: int = MAX_SAMPLES) -> None:
        """Add to a dataset's numbers, also on a full server: the field names are bounded."""
        words = [word for pair in fields.items() for word in pair]
        self._connection.run("quality", [self._key(dataset_id)], [max_samples, *words])

    def read(self, dataset_id: str) -> dict[str, int]:
        """Return a dataset's numbers; none before its first sample."""
        found = self._connection.command("HGETALL", self._key(dataset_id))
        return {name.decode(): int(value) for name, value in found.items()}

    def read_each(self, dataset_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the numbers of many datasets, in one round trip."""
        found = self._connection.commands([("HGETALL", self._key(each)) for each in dataset_ids])
        return {
            each: {name.decode(): int(value) for name, value in fields.items()}
            for each, fields in zip(dataset_ids, found, strict=True)
        }

    def _key(self, dataset_id: str) -> str:
        return keys.quality(keys.shard_of(dataset_id, self._connection.shards), dataset_id)
