"""Append events to the event store within a deadline: the only module of the web process that speaks Redis."""

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoScriptError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from capi_relay import keys
from capi_relay.errors import MisconfiguredError, Overloaded

_APPEND = (Path(__file__).parent / "scripts" / "append.lua").read_text()
_APPEND_SHA = hashlib.sha1(_APPEND.encode(), usedforsecurity=False).hexdigest()
_PAUSE_SECONDS = 0.02
CAP_SHARE = 0.8
"""So much of maxmemory may be taken by waiting events; the rest is room for the broker on a shared server."""


@dataclass(slots=True)
class Append:
    """The events of one call to one dataset, by lane: all are stored, or none."""

    dataset_id: str
    call_id: str
    linger_ms: int
    lanes: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    """Lane name -> (event bytes, rest of the meta) in order."""


class AppendStore:
    """A thread-safe, fork-safe client of the event store that can only append.

    The client library never sends a write again by itself: a lost answer is retried here, with the same call id, which
    the script stores once.
    """

    def __init__(
        self, url: str, *, deadline_seconds: float, full_events: int, lane_cap: int, shards: int | None
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._limits = (full_events, lane_cap)
        self._shards_wanted = shards
        self._shards: int | None = None
        self._cap_bytes = 0
        # Two attempts that both run into their time-outs still end within the deadline.
        self._step_seconds = deadline_seconds * 0.4
        self._client: redis.Redis = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=self._step_seconds,
            socket_connect_timeout=self._step_seconds,
            retry=Retry(NoBackoff(), 0),
        )

    def append(self, work: Append) -> None:
        """Store the events of one call.

        Raises:
            Overloaded: nothing was stored, as far as this process can know: the store is away, slow or full.
            MisconfiguredError: the store has another number of shards than CAPI_SHARDS says.
        """
        stop = time.monotonic() + self._deadline_seconds
        while True:
            try:
                status, *rest = self._run(work, stop)
                break
            except (RedisConnectionError, RedisTimeoutError) as error:
                if time.monotonic() + _PAUSE_SECONDS + self._step_seconds > stop:
                    raise Overloaded(_unreachable(error)) from None
                time.sleep(_PAUSE_SECONDS)
            except RedisError as error:
                # Out of memory, read-only, MISCONF, LOADING, no permission: the first word says which.
                raise Overloaded(f"the event store refused the events ({_first_word(error)})") from None
        if status == 0:
            what = "the dataset's lane" if rest[0] == b"lane" else "the event store"
            raise Overloaded(f"{what} is full: the events were not accepted")

    def _run(self, work: Append, stop: float) -> Any:  # noqa: ANN401 - the script's reply
        shard = keys.shard_of(work.dataset_id, self._count_shards(stop))
        names = [
            keys.call(shard, work.call_id),
            keys.due(shard),
            keys.held(shard),
            keys.size(shard),
            keys.datasets(shard),
            keys.lanes(shard, work.dataset_id),
            keys.counters(shard, work.dataset_id),
        ]
        args: list[str | bytes | int] = [
            work.dataset_id,
            work.linger_ms,
            *self._limits,
            self._cap_bytes,
            len(work.lanes),
        ]
        for name, rows in work.lanes.items():
            lane = keys.lane_of(work.dataset_id, name)
            names.append(keys.stream(shard, lane))
            args += [lane, len(rows)]
            for row in rows:
                args += row
        tail = [len(names), *names, *args]
        try:
            return self._ask(stop, "EVALSHA", _APPEND_SHA, *tail)
        except NoScriptError:
            return self._ask(stop, "EVAL", _APPEND, *tail)

    def _ask(self, stop: float, *words: str | bytes | int) -> Any:  # noqa: ANN401 - a command's reply is its own
        """Run one command, unless it could outlast the deadline: the client bounds each wait, not their sum."""
        if time.monotonic() + self._step_seconds > stop:
            raise RedisTimeoutError("the store is too slow")
        return self._client.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py leaves it untyped

    def _count_shards(self, stop: float) -> int:
        if self._shards is None:
            stored = self._ask(stop, "GET", keys.SHARDS)  # read first: a full server takes no SET
            if stored is None:
                self._ask(stop, "SET", keys.SHARDS, self._shards_wanted or 1, "NX")
                stored = self._ask(stop, "GET", keys.SHARDS)
            found = int(stored or 1)
            if self._shards_wanted not in (None, found):
                raise MisconfiguredError(
                    f"CAPI_SHARDS is {self._shards_wanted}, but the event store was set up with {found}"
                )
            self._cap_bytes = self._own_cap(stop) // found
            self._shards = found
        return self._shards

    def _own_cap(self, stop: float) -> int:
        """Return how many bytes may wait, by the server's own limit; 0 where this user may not ask or there is none."""
        try:
            return int(int(self._ask(stop, "INFO", "memory").get("maxmemory", 0)) * CAP_SHARE)
        except ResponseError:  # a user that may only append: the workers have said it, or will
            return 0

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _unreachable(error: RedisError) -> str:
    """Say what to look at, without the store's address, which may hold a password."""
    if isinstance(error, RedisTimeoutError):
        return "the event store did not answer in time"
    if isinstance(error, AuthenticationError):
        return "the event store refused the user or the password of CAPI_REDIS_URL"
    return "no connection to the event store: see that it runs, and that CAPI_REDIS_URL names it"


def _first_word(error: RedisError) -> str:
    word = str(error).split(" ", 1)[0].strip("-:'\"")
    return word if word.isupper() and word.isalpha() else type(error).__name__
