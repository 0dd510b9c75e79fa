"""Make the pool of connections to the event store: to the server of the URL, or to the master that Sentinels name."""

from typing import Any

from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

from capi_relay.sentinel_url import SentinelUrl, is_sentinel, read_sentinel_url

_FLAGS = {"true": True, "false": False}


def pool_of(url: str, *, step_seconds: float, **options: Any) -> ConnectionPool:  # noqa: ANN401 - redis-py's own
    """Return a pool; nothing is opened before its first use.

    Args:
        url: of the event store.
        step_seconds: for opening a connection. All Sentinels together get as much: one that hangs takes its share.
        options: of each connection, as redis-py spells them.
    """
    options["socket_connect_timeout"] = step_seconds
    if not is_sentinel(url):
        return ConnectionPool.from_url(url, **options)
    read = read_sentinel_url(url)
    tls: dict[str, Any] = (
        {"ssl": True, **{name: _FLAGS.get(text, text) for name, text in read.tls_options.items()}} if read.tls else {}
    )
    options |= {"db": read.database, "username": read.user, "password": read.password, **tls}
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        read.master, _sentinels(read, step_seconds, tls), **options
    )


def _sentinels(read: SentinelUrl, step_seconds: float, tls: dict[str, Any]) -> Sentinel:
    each_seconds = step_seconds / len(read.sentinels)
    return Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        read.sentinels,
        sentinel_kwargs={
            "username": read.sentinel_user,
            "password": read.sentinel_password,
            "socket_timeout": each_seconds,
            "socket_connect_timeout": each_seconds,
            "retry": Retry(NoBackoff(), 0),  # the next Sentinel is the second try
            **tls,
        },
    )
