"""Publish hints to the Celery broker, and count those that wait there."""

from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

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
            OperationalError: the broker is away.
        """
        with self._app.connection_for_write() as connection:
            channel: Any = connection.default_channel  # its type says nothing of the virtual transports
            try:
                declared = channel.queue_declare(QUEUE, passive=True)
            except ChannelError:  # Redis keeps no empty queue
                return 0
            return int(declared.message_count)

    def publish(self, count: int) -> int:
        """Publish so many hints; return how many the broker took."""
        for sent in range(count):
            try:
                self._app.send_task("capi.deliver", expires=HINT_EXPIRES_SECONDS, retry=False, ignore_result=True)
            except OperationalError:
                return sent
        return count
