"""The dead letters as they lie in Redis: read them, move one back into a lane, delete them."""

from collections.abc import Iterator, Sequence

from capi_relay import keys
from worker.store.connection import Connection
from worker.store.records import StoredDeadLetter

_PAGE = 200


class DeadStore:
    """Reading and removing dead letters; they are written by settle.lua only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, dataset_id: str) -> Iterator[StoredDeadLetter]:
        """Yield a dataset's dead letters, the oldest first, a page at a time."""
        key = keys.dead(self._shard(dataset_id), dataset_id)
        start = "-"
        while rows := self._connection.command("XRANGE", key, start, "+", "COUNT", _PAGE):
            yield from (_letter(dataset_id, *row) for row in rows)
            start = f"({rows[-1][0].decode()}"

    def get(self, dataset_id: str, letter_id: str) -> StoredDeadLetter | None:
        """Return one dead letter, or None when it is no longer there."""
        key = keys.dead(self._shard(dataset_id), dataset_id)
        rows = self._connection.command("XRANGE", key, letter_id, letter_id)
        return _letter(dataset_id, *rows[0]) if rows else None

    def replay(self, letter: StoredDeadLetter, *, lane_name: str, meta: bytes) -> bool:
        """Move one dead letter into a lane of its dataset; False: it was already replayed or purged."""
        shard, dataset_id = self._shard(letter.dataset_id), letter.dataset_id
        lane = keys.lane_of(dataset_id, lane_name)
        reply = self._connection.run(
            "replay",
            [
                keys.dead(shard, dataset_id),
                keys.stream(shard, lane),
                keys.due(shard),
                keys.held(shard),
                keys.size(shard),
                keys.datasets(shard),
                keys.lanes(shard, dataset_id),
                keys.counters(shard, dataset_id),
            ],
            [dataset_id, lane, letter.id, letter.event, meta],
        )
        return bool(reply)

    def purge(self, dataset_id: str, letter_ids: Sequence[str]) -> int:
        """Delete dead letters for good; return how many there were."""
        shard = self._shard(dataset_id)
        gone = 0
        for start in range(0, len(letter_ids), _PAGE):
            ids = list(letter_ids[start : start + _PAGE])
            gone += self._connection.run("purge", [keys.dead(shard, dataset_id), keys.size(shard)], ids)
        return gone

    def _shard(self, dataset_id: str) -> int:
        return keys.shard_of(dataset_id, self._connection.shards)


def _letter(dataset_id: str, letter_id: bytes, fields: list[bytes] | dict[bytes, bytes]) -> StoredDeadLetter:
    pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    return StoredDeadLetter(
        id=letter_id.decode(),
        dataset_id=dataset_id,
        event=pairs.get(b"e", b""),
        meta=pairs.get(b"m", b""),
        record=pairs.get(b"r", b""),
    )
