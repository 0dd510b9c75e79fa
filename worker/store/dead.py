"""The dead letters as they lie in Redis: read them, move one back into a lane, delete them."""

from collections.abc import Iterator, Sequence

from capi_relay import keys
from worker.store.connection import Connection
from worker.store.records import StoredDeadLetter

AGED_OUT = "aged_out"
"""The counter of dead letters that were deleted because of their age; no door, for they had left by one."""
_PAGE = 200


class DeadStore:
    """Reading and removing dead letters; they are written by settle.lua only."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, dataset_id: str, *, since_ms: int = 0) -> Iterator[StoredDeadLetter]:
        """Yield a dataset's dead letters, the oldest first, a page at a time; those from before then are not read."""
        key = keys.dead(self._shard(dataset_id), dataset_id)
        start = f"{max(0, since_ms)}-0"
        while rows := self._connection.command("XRANGE", key, start, "+", "COUNT", _PAGE):
            yield from (_letter(dataset_id, *row) for row in rows)
            start = f"({rows[-1][0].decode()}"

    def last_ids(self, dataset_ids: Sequence[str]) -> dict[str, str]:
        """Return the id of the newest dead letter of each dataset that has any, a page of datasets at a time."""
        found: dict[str, str] = {}
        for start in range(0, len(dataset_ids), _PAGE):
            page = dataset_ids[start : start + _PAGE]
            names = [keys.dead(self._shard(each), each) for each in page]
            rows = self._connection.commands([("XREVRANGE", name, "+", "-", "COUNT", "1") for name in names])
            found |= {each: row[0][0].decode() for each, row in zip(page, rows, strict=True) if row}
        return found

    def newest(self, dataset_id: str, count: int) -> list[StoredDeadLetter]:
        """Return a dataset's last so many dead letters, the newest first."""
        key = keys.dead(self._shard(dataset_id), dataset_id)
        return [
            _letter(dataset_id, *row) for row in self._connection.command("XREVRANGE", key, "+", "-", "COUNT", count)
        ]

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
        pages = range(0, len(letter_ids), _PAGE)
        return sum(self._purge(dataset_id, letter_ids[start : start + _PAGE]) for start in pages)

    def age_out(self, dataset_id: str, keep_ms: int) -> int:
        """Delete what became a dead letter longer ago than that, and count it as ``aged_out``; return how many."""
        key = keys.dead(self._shard(dataset_id), dataset_id)
        seconds, _ = self._connection.command("TIME")
        last = str(int(seconds) * 1000 - keep_ms)
        gone = 0
        while rows := self._connection.command("XRANGE", key, "-", last, "COUNT", _PAGE):
            gone += self._purge(dataset_id, [row[0] for row in rows], counter=AGED_OUT)
        return gone

    def _purge(self, dataset_id: str, letter_ids: Sequence[str | bytes], *, counter: str = "") -> int:
        shard = self._shard(dataset_id)
        names = [keys.dead(shard, dataset_id), keys.size(shard), keys.counters(shard, dataset_id)]
        gone: int = self._connection.run("purge", names, [counter, *letter_ids])
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
