"""The worker processes that are alive, as they tell it themselves: one short-lived hash each, on the first shard."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from capi_relay import keys
from worker.store.connection import Connection

ALIVE_SECONDS = 60
"""Whoever tells nothing for so long counts as gone: a POST may keep a heartbeat that delivers by itself busy for 50."""


@dataclass(frozen=True, slots=True)
class WorkerSign:
    """What one worker process tells of itself."""

    name: str
    """``host:pid``."""
    started_ms: int
    slots: int
    """How many lanes it can work on at once."""
    pumps: int
    """Running ``capi.deliver``."""
    busy: int
    """Lanes it works on."""
    rss_bytes: int
    last_batch_ms: int
    """When it took the last one; 0: none yet."""
    unreached_since_ms: int = 0
    """Since when its machine has not reached Meta; 0: it does."""
    next_try_ms: int = 0
    unreached_why: str = ""


_NUMBERS = tuple(field.name for field in fields(WorkerSign))[1:-1]


class Workers:
    """Signs of life in Redis."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, sign: WorkerSign) -> int:
        """Put a worker's sign in place of its last one; return how many workers are alive."""
        told = asdict(sign)
        name = told.pop("name")
        words = [word for pair in told.items() for word in pair]
        names = [keys.workers(0), keys.worker(0, name)]
        return int(self._connection.run("alive", names, [name, int(ALIVE_SECONDS * 1000), *words]))

    def seen(self) -> list[WorkerSign]:
        """Return the workers that are alive, by name."""
        names = [name.decode() for name in self._connection.command("ZRANGE", keys.workers(0), 0, -1)]
        told = self._connection.commands([("HGETALL", keys.worker(0, name)) for name in names])
        signs = (_sign(name, sign) for name, sign in zip(names, told, strict=True) if sign)  # else its time has run out
        return sorted(signs, key=lambda sign: sign.name)


def _sign(name: str, told: Mapping[bytes, bytes]) -> WorkerSign:
    """Read a sign; a worker of another version tells other things."""
    numbers = {field: int(told.get(field.encode(), 0)) for field in _NUMBERS}
    return WorkerSign(name, **numbers, unreached_why=told.get(b"unreached_why", b"").decode(errors="replace"))
