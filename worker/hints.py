"""Publish hints to the Celery broker, and count those that wait there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from worker.errors import BrokerUnavailable

QUEUE = "capi"
# A hint that waited longer than this is worth nothing: others have been published since.
HINT_EXPIRES_SECONDS = 15


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
        """Lend a connection to the broker; its type says nothing of the virtual transports."""
        with self._app.connection_for_write() as connection:
            refusals: tuple[type[BaseException], ...] = (
                OperationalError,
                *connection.connection_errors,
                *connection.channel_errors,
            )
            try:
                yield connection
            except refusals as error:
                raise BrokerUnavailable(f"the broker is away or refuses: {type(error).__name__}") from None
