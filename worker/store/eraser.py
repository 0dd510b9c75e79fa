"""Walk the waiting events of a dataset, and remove some of them for good."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from capi_relay import keys
from worker.store.connection import Connection
from worker.store.records import Entry

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of the events that were to be removed; what is in neither had left by itself."""

    removed: int
    under_way: frozenset[str]
    """Ids of what is under a lease: its holder may be sending it right now."""


class Eraser:
    """Reading lanes without leasing them, and removing single events."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lanes(self, dataset_id: str) -> list[str]:
        """Name a dataset's lanes, those last that events are moved to."""
        members = self._connection.command("SMEMBERS", keys.lanes(self._shard(dataset_id), dataset_id))
        return sorted(lane.decode() for lane in members)  # digits stand before letters

    def pages(self, lane: str) -> Iterator[list[Entry]]:
        """Yield a lane's events, the oldest first, in pages: ten millions of them must not be held at once."""
        key = keys.stream(self._shard(keys.dataset_of(lane)), lane)
        start = "-"
        while rows := self._connection.command("XRANGE", key, start, "+", "COUNT", _PAGE):
            yield [_entry(*row) for row in rows]
            start = f"({rows[-1][0].decode()}"

    def erase(self, lane: str, entries: Sequence[Entry]) -> Erased:
        """Remove events that are not under way, and count them at the door ``erased``."""
        dataset_id = keys.dataset_of(lane)
        shard = self._shard(dataset_id)
        names = [
            keys.stream(shard, lane),
            keys.held(shard),
            keys.state(shard, lane),
            keys.size(shard),
            keys.counters(shard, dataset_id),
        ]
        removed, under_way = 0, set()
        for first in range(0, len(entries), _PAGE):
            args: list[str | int] = [lane]
            for entry in entries[first : first + _PAGE]:
                args += [entry.id, len(entry.event)]
            gone, *left = self._connection.run("erase", names, args)
            removed += gone
            under_way |= {entry_id.decode() for entry_id in left}
        return Erased(removed, frozenset(under_way))

    def _shard(self, dataset_id: str) -> int:
        return keys.shard_of(dataset_id, self._connection.shards)


def _entry(entry_id: bytes, fields: list[bytes] | dict[bytes, bytes]) -> Entry:
    pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    if b"e" in pairs:
        return Entry(entry_id.decode(), pairs[b"e"], pairs.get(b"m", b""))
    return Entry(entry_id.decode(), b" ".join(chain(*pairs.items())), b"")  # some other hand's, and no event
