"""Append events to the event store within a deadline: the only module of the web process that speaks Redis."""

import math
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import replace
from socket import gaierror
from typing import Any

from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from capi_relay import failpoints, keys
from capi_relay.append import Append, Limits, command
from capi_relay.errors import InDoubt, LaneFull, MisconfiguredError, Overloaded
from capi_relay.pool import pool_of

_PAUSE_SECONDS = 0.02
CAP_SHARE = 0.8
"""So much of maxmemory may be taken by waiting events; the rest is room for the broker on a shared server."""


class _TooSlowError(RedisTimeoutError):
    """Too little of the deadline is left to ask at all."""


class _Connection(AbstractConnection):
    """A connection of the client library that waits for no answer beyond the deadline of the call it is used by.

    The library bounds each wait by itself, and a handshake is many: password, database, its own name and version.
    The TLS handshake remains bounded step by step.
    """

    stop = math.inf
    step_seconds = 0.1

    @property
    def socket_connect_timeout(self) -> float:
        """How long to wait for one address of the host, of which there may be many; the URL has no say in it."""
        return max(min(self.step_seconds, self.stop - time.monotonic()), 0.001)

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, _seconds: float) -> None:
        """Leave it as it is: the library sets what it was made with."""

    def open(self) -> None:
        """Connect, unless it is; only this way Sentinels are asked who the master is."""
        if self._sock is None:
            try:
                self.connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            except ValueError:  # no name that can be resolved, no path: the library lets it through
                raise RedisConnectionError("the host's name or the socket's path is none") from None

    def read_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the signature differs by version
        left_seconds = self.stop - time.monotonic()
        sock: Any = self._sock  # None where another thread closed it
        if sock is None or left_seconds >= (self.socket_timeout or math.inf):
            return super().read_response(*args, **options)
        sock.settimeout(max(left_seconds, 0.001))  # 0 would mean: do not wait at all, and fail otherwise
        try:
            return super().read_response(*args, **options)
        finally:
            with suppress(OSError):  # closed meanwhile
                sock.settimeout(self.socket_timeout)


class AppendStore:
    """A thread-safe, fork-safe client of the event store that can only append.

    The client library opens connections and reads answers. It never sends a write again by itself: a lost answer is
    retried here, with the same call id, which the script stores once.
    """

    def __init__(
        self, url: str, *, deadline_seconds: float, full_events: int, lane_cap: int, shards: int | None
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._limits = Limits(full_events, lane_cap)
        self._shards_wanted = shards
        self._shards: int | None = None
        # Two attempts that both run into their time-outs still end within the deadline.
        self._step_seconds = deadline_seconds * 0.4
        self._pool = self._pool_of(url)
        # Taken from the pool and kept: the pool's own taking and giving back costs more than the rest of a call.
        self._idle: list[Any] = []
        self._pid = os.getpid()

    def _pool_of(self, url: str) -> ConnectionPool:
        try:
            pool = pool_of(
                url,
                step_seconds=self._step_seconds,
                protocol=2,
                socket_timeout=self._step_seconds,
                retry=Retry(NoBackoff(), 0),
            )
            pool.connection_kwargs["socket_timeout"] = self._step_seconds  # whatever the URL says
            by_scheme = pool.connection_class  # for TCP, TLS, a unix socket, or whom Sentinels name
            pool.connection_class = type("_Connection", (_Connection, by_scheme), {"step_seconds": self._step_seconds})
            pool.make_connection()  # opens nothing, and knows all options of the URL
        except (ValueError, TypeError, RedisError):  # their texts repeat parts of the URL
            raise MisconfiguredError(
                "CAPI_REDIS_URL: this is no URL of Redis, or has an option that redis-py does not know"
            ) from None
        return pool

    def append(self, work: Append) -> None:
        """Store the events of one call.

        Raises:
            Overloaded: nothing was stored: the store is away, slow or full.
            InDoubt: the same, as far as this process can know: a call went out and was not answered.
            LaneFull: nothing was stored: this lane is full, or the dataset has its share of the store.
            MisconfiguredError: the store has another number of shards than CAPI_SHARDS says.
        """
        stop = time.monotonic() + self._deadline_seconds
        callers = sys.exception()  # what the app is handling itself says nothing of this call
        refusal: type[Overloaded] = Overloaded
        seen: RedisError | None = None
        pause_seconds = 0.0  # at first: a server that was restarted has closed what lies idle here
        while True:
            try:
                failpoints.reach("before_append")
                status, *rest = self._run(work, stop)
                failpoints.reach("after_append")
                break
            except (RedisConnectionError, RedisTimeoutError) as error:
                if not _surely_unsent(error, callers):
                    refusal = InDoubt
                if seen is None or not isinstance(error, _TooSlowError):  # else what came before says more
                    seen = error
                if time.monotonic() + pause_seconds + self._step_seconds > stop:
                    raise refusal(_unreachable(seen)) from None
                time.sleep(pause_seconds)
                pause_seconds = _PAUSE_SECONDS
            except InvalidResponse:  # it came after the call, which may be done
                raise InDoubt("what answers at CAPI_REDIS_URL does not speak as Redis does") from None
            except RedisError as error:
                # Out of memory, read-only, MISCONF, LOADING, no permission: the first word says which.
                raise refusal(f"the event store refused the events ({_first_word(error)})") from None
        if status == 0:
            raise _refusal_of(rest[0])

    def _run(self, work: Append, stop: float) -> Any:  # noqa: ANN401 - the script's reply
        shard = keys.shard_of(work.dataset_id, self._shards or self._count_shards(stop))
        try:
            return self._ask(stop, work.command(shard, self._limits))
        except NoScriptError:
            return self._ask(stop, work.command(shard, self._limits, load=True))

    def _ask(self, stop: float, data: bytes) -> Any:  # noqa: ANN401 - a command's reply is its own
        """Run one command, unless it could outlast the deadline."""
        if time.monotonic() + self._step_seconds > stop:
            raise _TooSlowError("the store is too slow")
        connection = self._take()
        connection.stop = stop
        try:
            connection.open()
            connection.send_packed_command([data], check_health=False)
            reply = connection.read_response(disable_decoding=True)
        except ResponseError as error:  # an answer, read to its end
            if isinstance(error, ReadOnlyError):  # no longer the master: the next call looks for it again
                connection.disconnect()
            self._idle.append(connection)
            raise
        except BaseException:  # a thread's or greenlet's end too: nobody may ever read the rest of this answer
            connection.disconnect()
            self._idle.append(connection)
            raise
        self._idle.append(connection)
        return reply

    def _take(self) -> Any:  # noqa: ANN401 - a _Connection, which redis-py leaves untyped
        """Return a connection that nobody else has, open or not yet: list operations are atomic, and need no lock.

        It is the one used last: after a restart of the server that is one which was opened again already.
        """
        if self._pid != os.getpid():  # after a fork: what lies here is the parent's
            self._idle = []
            self._pool.reset()
            self._pid = os.getpid()  # last, so that no other thread takes what is not ours
        try:
            return self._idle.pop()
        except IndexError:
            return self._pool.make_connection()

    def _count_shards(self, stop: float) -> int:
        stored = self._ask(stop, command("GET", keys.SHARDS))  # read first: a full server takes no SET
        if stored is None:
            self._ask(stop, command("SET", keys.SHARDS, self._shards_wanted or 1, "NX"))
            stored = self._ask(stop, command("GET", keys.SHARDS))
        try:
            found = int(stored or 1)
        except ValueError:
            raise MisconfiguredError(f"{keys.SHARDS} in the event store is not the number of its shards") from None
        if self._shards_wanted not in (None, found):
            raise MisconfiguredError(
                f"CAPI_SHARDS is {self._shards_wanted}, but the event store was set up with {found}: "
                "the number of shards is fixed once events are stored"
            )
        self._limits = replace(self._limits, cap_bytes=self._own_cap(stop) // found)
        self._shards = found
        return found

    def _own_cap(self, stop: float) -> int:
        """Return how many bytes may wait, by the server's own limit; 0 where this user may not ask or there is none."""
        try:
            found = re.search(rb"maxmemory:(\d+)", self._ask(stop, command("INFO", "memory")))
        except ResponseError:  # a user that may only append: the workers have said it, or will
            return 0
        return int(int(found[1]) * CAP_SHARE) if found else 0

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        while self._idle:
            self._take().disconnect()
        self._pool.reset()


def _refusal_of(what: bytes) -> Overloaded:
    """Return what is raised for an append that the script refused: it says what is full."""
    if what == b"lane":
        return LaneFull("the dataset's lane is full: the events were not accepted")
    if what == b"share":
        return LaneFull("the dataset holds all it may of the event store: the events were not accepted")
    return Overloaded("the event store is full: the events were not accepted")


_NOTHING_SENT = (_TooSlowError, AuthenticationError, BusyLoadingError, MasterNotFoundError)


def _surely_unsent(error: RedisError, callers: BaseException | None) -> bool:
    """Say whether the store has not seen the call: there was no connection, or it answers that it takes none yet."""
    cause = error.__context__
    no_connection = isinstance(cause, (ConnectionRefusedError, FileNotFoundError, gaierror)) and cause is not callers
    return no_connection or isinstance(error, _NOTHING_SENT)


def _unreachable(error: RedisError) -> str:
    """Say what to look at, without the store's address, which may hold a password."""
    if isinstance(error, RedisTimeoutError):
        return "the event store did not answer in time"
    if isinstance(error, AuthenticationError):
        return "the event store refused the user or the password of CAPI_REDIS_URL"
    return (
        "no connection to the event store: see that it runs, and that CAPI_REDIS_URL names it "
        "(unset, it is looked for under .capi in the current directory)"
    )


def _first_word(error: RedisError) -> str:
    word = str(error).split(" ", 1)[0].strip("-:'\"")
    return word if word.isupper() and word.isalpha() else type(error).__name__
