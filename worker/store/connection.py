"""Speak to the event store: one client, scripts by name, and every failure of Redis as StoreUnavailable."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from capi_relay import failpoints, keys
from capi_relay.errors import MisconfiguredError
from capi_relay.pool import pool_of
from worker.errors import StoreUnavailable

_SCRIPTS = Path(__file__).parent / "scripts"
# Scripts that take or remove work must run when Redis is at maxmemory, or a full store could never be drained.
_ADD_WORK = frozenset({"replay"})


@cache
def _source(name: str) -> str:
    flags = "#!lua" if name in _ADD_WORK else "#!lua flags=allow-oom"
    common = (_SCRIPTS / "common.lua").read_text()
    return f"{flags}\n{common}\n{(_SCRIPTS / f'{name}.lua').read_text()}"


class Connection:
    """A thread-safe connection pool to one event store, and its scripts."""

    def __init__(self, url: str, *, shards: int | None = None, patient: bool = True) -> None:
        """Open nothing yet.

        Args:
            url: of the event store.
            shards: how many the settings say, if they do.
            patient: also ask again after silence; else the first time-out is the answer, for whoever sits and waits.
        """
        lost = (RedisConnectionError, RedisTimeoutError) if patient else (RedisConnectionError,)
        # Every script is idempotent, so the client may send a call again after a lost answer.
        self.client: redis.Redis = redis.Redis.from_pool(
            pool_of(
                url,
                step_seconds=3,
                protocol=2,
                socket_timeout=5,
                # Opening a connection and each call have these tries of their own, so that they multiply.
                retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3 if patient else 1, supported_errors=lost),
                retry_on_error=list(lost),
                health_check_interval=30,
            )
        )
        self._shards_wanted = shards
        self._shards: int | None = None
        self._sha: dict[str, str] = {}

    @property
    def shards(self) -> int:
        """Return how many shards the installation has; the first to connect to an empty store decides.

        Raises:
            MisconfiguredError: CAPI_SHARDS says something else than the store.
            StoreUnavailable: the store does not answer.
        """
        if self._shards is None:
            stored = self.command("GET", keys.SHARDS)  # read first: a full server takes no SET
            if stored is None:
                self.command("SET", keys.SHARDS, self._shards_wanted or 1, "NX")
                stored = self.command("GET", keys.SHARDS)
            found = int(stored)
            if self._shards_wanted not in (None, found):
                raise MisconfiguredError(
                    f"CAPI_SHARDS is {self._shards_wanted}, but the event store was set up with {found}: "
                    "the number of shards is fixed once events are stored",
                )
            self._shards = found
        return self._shards

    def run(self, name: str, key_names: list[str], args: list[Any]) -> Any:  # noqa: ANN401 - a script's reply is its own
        """Run one script on its keys.

        Raises:
            StoreUnavailable: Redis is away, refuses the write (full, read-only, MISCONF ...) or answers an error.
        """
        try:
            failpoints.reach(f"before_{name}")
            sha = self._sha.get(name)
            if sha is None:
                sha = self._sha[name] = str(self.client.script_load(_source(name)))
            try:
                reply = self.client.evalsha(sha, len(key_names), *key_names, *args)
            except NoScriptError:  # the server was restarted or its scripts were flushed
                self.client.script_load(_source(name))
                reply = self.client.evalsha(sha, len(key_names), *key_names, *args)
            failpoints.reach(f"after_{name}")
        except RedisError as error:
            raise self._unavailable(name, error) from None
        return reply

    def command(self, *words: Any) -> Any:  # noqa: ANN401 - a command's reply is its own
        """Run one plain command; raises StoreUnavailable like ``run``."""
        try:
            return self.client.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        except RedisError as error:
            raise self._unavailable(words[0], error) from None

    def commands(self, many: Sequence[Sequence[str]]) -> list[Any]:
        """Run plain commands that only read in one round trip; raises StoreUnavailable like ``run``."""
        if not many:
            return []
        pipeline = self.client.pipeline(transaction=False)
        for words in many:
            pipeline.execute_command(*words)  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        try:
            replies: list[Any] = pipeline.execute()
        except RedisError as error:
            raise self._unavailable(many[0][0], error) from None
        return replies

    def tails(self, prefix: str) -> Iterator[str]:
        """Yield what stands behind a prefix in the names of keys, while others come and go; raises like ``run``."""
        cursor = b"0"
        pattern = prefix.replace("{", r"\{").replace("}", r"\}") + "*"
        while True:
            cursor, names = self.command("SCAN", cursor, "MATCH", pattern, "COUNT", 200)
            yield from (name.decode(errors="replace")[len(prefix) :] for name in names)
            if int(cursor) == 0:
                return

    def _unavailable(self, what: object, error: RedisError) -> StoreUnavailable:
        if isinstance(error, ReadOnlyError):  # a master that was demoted: its name may stand for another one by now
            self.client.connection_pool.disconnect()
        return StoreUnavailable(f"the event store could not run {what}: {_reason(error)}")

    def close(self) -> None:
        """Close all connections."""
        self.client.close()


def _reason(error: RedisError) -> str:
    """Name a Redis error without quoting what was sent; a URL in it may carry a password."""
    text = str(error).split("\n", 1)[0][:200]
    return f"{type(error).__name__}: {text}" if "://" not in text else type(error).__name__
