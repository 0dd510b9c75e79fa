"""Publish hints to the Celery broker, and count those that wait there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.exceptions import LimitExceeded, OperationalError

from worker.errors import BrokerUnavailable

QUEUE = "capi"
BROKER_OPTIONS = {
    "visibility_timeout": 60,
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_on_timeout": False,
    # kombu's own patience with whoever publishes: a heartbeat that waits for the broker delivers nothing meanwhile.
    "max_retries": 1,
    "interval_start": 0.2,
    "global_keyprefix": "capi-celery:",
    "client_name": "capi",
}
"""How everybody here speaks to a broker on Redis."""
# A hint that waited longer than this is worth nothing: others have been published since.
HINT_EXPIRES_SECONDS = 15
# A broker that hangs keeps those who have a connection; the others must not stand behind them.
_POOL_SECONDS = 1.0


class Hints:
    """The broker, as the tick sees it. A hint carries nothing: it may be lost, doubled or late."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def queued(self) -> int:
        """Count the messages that wait in the queue.

        Raises:
            BrokerUnavailable: the broker is away or refuses.
        """
        with self._connected() as connection:
            # Never passive: kombu then asks for the key without our key prefix, and so finds no queue at all.
            return int(connection.default_channel.queue_declare(QUEUE).message_count)

    def publish(self, count: int) -> int:
        """Publish so many hints and return how many.

        Raises:
            BrokerUnavailable: the broker is away, or full and refuses them.
        """
        if count:
            with self._connected() as connection:
                for _ in range(count):
                    self._app.send_task(
                        "capi.deliver", expires=HINT_EXPIRES_SECONDS, retry=False, connection=connection
                    )
        return count

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Lend one of Celery's pooled connections; its type says nothing of the virtual transports.

        The pool closes a connection that failed, and a forked child has sockets of its own.
        """
        pool: Any = self._app.pool  # typed wrongly by its stubs
        try:
            pooled = pool.acquire(block=True, timeout=_POOL_SECONDS)
        except LimitExceeded:
            raise BrokerUnavailable("all connections to the broker are in use") from None
        refusals: tuple[type[BaseException], ...] = (
            OperationalError,
            *pooled.connection_errors,
            *pooled.channel_errors,
        )
        try:
            with pooled as connection:
                yield connection
        except refusals as error:
            raise BrokerUnavailable(f"the broker is away or refuses: {type(error).__name__}") from None
