"""Look after the store: pauses, counts, repair of the lane index, the byte cap."""

from collections.abc import Iterator
from typing import Any, Literal

import structlog

from capi_relay import keys
from capi_relay.store import CAP_SHARE
from worker.store.connection import Connection
from worker.store.records import DatasetCounts, Memory, Pause

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
log = structlog.get_logger(__name__)

_MOST_ALIENS = 100
_FULL_SHARE = 0.95
_KEEP_EMPTY_MS = 24 * 3600 * 1000
_FOR_EVER_MS = 4_102_444_800_000


class Admin:
    """Everything about the store that is not the main path."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._aliens: set[str] = set()

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

    def memory(self) -> Memory:
        """Return what the server uses, and what events and dead letters take of it."""
        server = self._connection.command("INFO", "memory")
        sizes = [
            self._connection.command("HMGET", keys.size(shard), "bytes", "cap")
            for shard in range(self._connection.shards)
        ]
        return Memory(
            used_bytes=int(server["used_memory"]),
            max_bytes=int(server["maxmemory"]),
            waiting_bytes=sum(int(waiting or 0) for waiting, _ in sizes),
            cap_bytes=sum(int(cap or 0) for _, cap in sizes),
        )

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

    def pauses(self) -> dict[str, Pause]:
        """Return every pause that has not run out, by its dataset: one script call a shard where there is any."""
        found: dict[str, Pause] = {}
        for shard in range(self._connection.shards):
            ids = sorted(_text(item) for item in self._connection.command("SMEMBERS", keys.paused(shard)))
            if not ids:
                continue
            now_ms, *rows = self._connection.run("paused", [keys.dataset(shard, each) for each in ids], [])
            read = {each: _pause(dict(_pairs(row)), now_ms) for each, row in zip(ids, rows, strict=True)}
            found |= {dataset_id: pause for dataset_id, pause in read.items() if pause}
        return found

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
        failures: int = 0,
        scope: Literal["dataset", "token"] = "dataset",
    ) -> None:
        """Pause a dataset for so long, or until it is resumed (None).

        Args:
            dataset_id: whose lanes are not taken.
            reason: one of the runbook's.
            seconds: its length.
            code: Meta's.
            subcode: Meta's.
            fingerprint: of the token that was refused.
            detail: what to say of it.
            failures: how many in a row have led to it, this one included; the next lease tells it.
            scope: whether it concerns all datasets of the token.
        """
        shard = self._shard(dataset_id)
        length_ms = -1 if seconds is None else int(seconds * 1000)
        self._connection.run(
            "pause",
            [keys.dataset(shard, dataset_id), keys.paused(shard), keys.held(shard)],
            [
                *(dataset_id, length_ms, reason, code or "", subcode or "", fingerprint, detail, failures, scope),
                *self._lanes(shard, dataset_id),
            ],
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
        reply: list[Any] = [0]
        while len(reply) == 1:  # the script is given its keys, and refuses when a lane has come or gone meanwhile
            reply = self._counted(shard, dataset_id, self._lanes(shard, dataset_id))
        now_ms, *row = reply
        return counts_of(dataset_id, now_ms, row)

    def _counted(self, shard: int, dataset_id: str, lanes: list[str]) -> list[Any]:
        names = [
            keys.dataset(shard, dataset_id),
            keys.counters(shard, dataset_id),
            keys.dead(shard, dataset_id),
            keys.size(shard),
            keys.held(shard),
            keys.lanes(shard, dataset_id),
        ]
        for lane in lanes:
            names += [keys.stream(shard, lane), keys.state(shard, lane)]
        reply: list[Any] = self._connection.run("counts", names, lanes)
        return reply

    def sweep(self) -> int:
        """Repair the lane index; return how many lanes were not where they belong."""
        repaired = 0
        for shard in range(self._connection.shards):
            prefix = keys.stream(shard, "")
            for lane in self._connection.tails(prefix):
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
                        keys.dataset(shard, dataset_id),
                    ],
                    [lane, dataset_id, _KEEP_EMPTY_MS],
                )
                repaired += verdict == b"adopted"
                if verdict == b"alien":
                    self._tell_of_alien(keys.stream(shard, lane))
        return repaired

    def _tell_of_alien(self, key: str) -> None:
        if key not in self._aliens and len(self._aliens) < _MOST_ALIENS:
            self._aliens.add(key)
            log.error("a key among the lanes is no stream; it is left alone", key=key[:200])

    def _shard(self, dataset_id: str) -> int:
        return keys.shard_of(dataset_id, self._connection.shards)

    def _lanes(self, shard: int, dataset_id: str) -> list[str]:
        return sorted(_text(lane) for lane in self._connection.command("SMEMBERS", keys.lanes(shard, dataset_id)))


def counts_of(dataset_id: str, now_ms: int, row: list[Any]) -> DatasetCounts:
    """Turn what counts.lua or overview.lua answers of one dataset into a record."""
    dead, flat, pause, unseen, *lanes = row
    counters = {name: int(value) for name, value in _pairs(flat)}
    return DatasetCounts(
        dataset_id=dataset_id,
        now_ms=now_ms,
        counters=counters,
        stored=sum(lane[0] for lane in lanes),
        in_flight=sum(lane[1] for lane in lanes),
        oldest_ms=min((lane[2] for lane in lanes if lane[0]), default=None),
        dead_letters=dead,
        pause=_pause(dict(_pairs(pause)), now_ms),
        unseen_foreign=unseen,
        doors={door: counters.get(door, 0) for door in DOORS},
    )


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
        age_ms=now_ms - int(fields.get("since", 0)),
        scope=fields.get("scope", "dataset"),
    )
