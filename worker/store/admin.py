"""Look after the store: pauses, counts, repair of the lane index, the byte cap."""

from collections.abc import Iterator

from capi_relay import keys
from capi_relay.store import CAP_SHARE
from worker.store.connection import Connection
from worker.store.records import DatasetCounts, Pause

DOORS = (
    "delivered",
    "invalid",
    "rejected",
    "expired",
    "undecodable",
    "crashed",
    "parked",
    "duplicate",
    "erased",
)
_FULL_SHARE = 0.95
_KEEP_EMPTY_MS = 24 * 3600 * 1000
_FOR_EVER_MS = 4_102_444_800_000


class Admin:
    """Everything about the store that is not the main path."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ping(self) -> None:
        """Raise StoreUnavailable unless the store answers."""
        self._connection.command("PING")

    def info(self) -> dict[str, str]:
        """Return what the server says of itself, as text; without CONFIG, which managed servers refuse."""
        found = {str(key): str(value) for key, value in self._connection.command("INFO").items()}
        found["maxmemory-policy"] = found.get("maxmemory_policy", "")
        found["appendonly"] = "yes" if found.get("aof_enabled") == "1" else "no"
        return found

    def refresh_cap(self) -> int:
        """Tell the producers how many bytes may wait: a share of maxmemory, 0 for no limit."""
        maxmemory = int(self._connection.command("INFO", "memory")["maxmemory"])  # managed servers refuse CONFIG
        shards = self._connection.shards
        cap = int(maxmemory * CAP_SHARE) // shards
        for shard in range(shards):
            if (
                int(self._connection.command("HGET", keys.size(shard), "cap") or -1) != cap
            ):  # a full server takes no HSET
                self._connection.command("HSET", keys.size(shard), "cap", cap)
        return cap

    def is_full(self) -> bool:
        """Say whether the server is so near its maxmemory that a broker on it could not work."""
        memory = self._connection.command("INFO", "memory")
        return 0 < int(memory["maxmemory"]) * _FULL_SHARE < int(memory["used_memory"])

    def dataset_ids(self) -> list[str]:
        """Return every dataset that ever had an event, sorted."""
        found: set[str] = set()
        for shard in range(self._connection.shards):
            found |= {_text(item) for item in self._connection.command("SMEMBERS", keys.datasets(shard))}
        return sorted(found)

    def paused_ids(self) -> list[str]:
        """Return the datasets that have a pause, ended ones not yet cleared included."""
        found: set[str] = set()
        for shard in range(self._connection.shards):
            found |= {_text(item) for item in self._connection.command("SMEMBERS", keys.paused(shard))}
        return sorted(found)

    def pause(
        self,
        dataset_id: str,
        *,
        reason: str,
        seconds: float | None,
        code: int | None = None,
        subcode: int | None = None,
        fingerprint: str = "",
        detail: str = "",
    ) -> None:
        """Pause a dataset for so long, or until it is resumed (None)."""
        shard = self._shard(dataset_id)
        length_ms = -1 if seconds is None else int(seconds * 1000)
        self._connection.run(
            "pause",
            [keys.dataset(shard, dataset_id), keys.paused(shard)],
            [dataset_id, length_ms, reason, code or "", subcode or "", fingerprint, detail],
        )

    def resume(self, dataset_id: str, *, only_reason: str = "") -> bool:
        """End a pause now; False: it was not paused (for that reason)."""
        shard = self._shard(dataset_id)
        lanes = self._lanes(shard, dataset_id)
        names = [keys.dataset(shard, dataset_id), keys.paused(shard), keys.due(shard), keys.held(shard)]
        for lane in lanes:
            names += [keys.stream(shard, lane), keys.state(shard, lane)]
        return bool(self._connection.run("resume", names, [dataset_id, only_reason, *lanes]))

    def counts(self, dataset_id: str) -> DatasetCounts:
        """Read one dataset's counters and lanes at one instant."""
        shard = self._shard(dataset_id)
        lanes = self._lanes(shard, dataset_id)
        names = [
            keys.dataset(shard, dataset_id),
            keys.counters(shard, dataset_id),
            keys.dead(shard, dataset_id),
            keys.size(shard),
            keys.held(shard),
        ]
        for lane in lanes:
            names += [keys.stream(shard, lane), keys.state(shard, lane)]
        now_ms, dead, flat, pause, unseen, *rows = self._connection.run("counts", names, list(lanes))
        counters = {name: int(value) for name, value in _pairs(flat)}
        oldest = min((row[2] for row in rows if row[0]), default=None)
        return DatasetCounts(
            dataset_id=dataset_id,
            now_ms=now_ms,
            counters=counters,
            stored=sum(row[0] for row in rows),
            in_flight=sum(row[1] for row in rows),
            oldest_ms=oldest,
            dead_letters=dead,
            pause=_pause(dict(_pairs(pause)), now_ms),
            unseen_foreign=unseen,
            doors={door: counters.get(door, 0) for door in DOORS},
        )

    def sweep(self) -> int:
        """Repair the lane index; return how many lanes were not where they belong."""
        repaired = 0
        for shard in range(self._connection.shards):
            prefix = keys.stream(shard, "")
            for lane in self._scan(prefix):
                dataset_id = keys.dataset_of(lane)
                verdict = self._connection.run(
                    "adopt",
                    [
                        keys.stream(shard, lane),
                        keys.due(shard),
                        keys.held(shard),
                        keys.state(shard, lane),
                        keys.size(shard),
                        keys.datasets(shard),
                        keys.lanes(shard, dataset_id),
                    ],
                    [lane, dataset_id, _KEEP_EMPTY_MS],
                )
                repaired += verdict == b"adopted"
        return repaired

    def _scan(self, prefix: str) -> Iterator[str]:
        cursor = b"0"
        pattern = prefix.replace("{", r"\{").replace("}", r"\}") + "*"
        while True:
            cursor, names = self._connection.command("SCAN", cursor, "MATCH", pattern, "COUNT", 200)
            yield from (_text(name)[len(prefix) :] for name in names)
            if int(cursor) == 0:
                return

    def _shard(self, dataset_id: str) -> int:
        return keys.shard_of(dataset_id, self._connection.shards)

    def _lanes(self, shard: int, dataset_id: str) -> list[str]:
        return sorted(_text(lane) for lane in self._connection.command("SMEMBERS", keys.lanes(shard, dataset_id)))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _pairs(flat: list[bytes]) -> Iterator[tuple[str, str]]:
    for i in range(0, len(flat), 2):
        yield flat[i].decode(), flat[i + 1].decode()


def _pause(fields: dict[str, str], now_ms: int) -> Pause | None:
    until = int(fields.get("until", 0))
    if until <= now_ms:
        return None
    return Pause(
        reason=fields.get("reason", ""),
        until_ms=until if until < _FOR_EVER_MS else None,
        code=fields.get("code", ""),
        subcode=fields.get("subcode", ""),
        fingerprint=fields.get("fingerprint", ""),
        detail=fields.get("detail", ""),
        since_ms=int(fields.get("since", 0)),
    )
