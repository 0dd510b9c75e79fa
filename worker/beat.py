"""Celery beat's scheduler: keeps no file, and publishes nothing while enough waits in the broker.

Redis gives messages no time to live: without the cap, an hour without workers would leave thousands of ticks behind.
"""

from typing import Any

import structlog
from celery.beat import ScheduleEntry, Scheduler, SchedulingError

from worker.errors import BrokerUnavailable
from worker.hints import Hints

log = structlog.get_logger(__name__)

_CAP = 64
_TELL_SECONDS = 60


class CappedScheduler(Scheduler):
    """A scheduler whose entries are worth nothing late: what cannot be published now is left out.

    Celery would log a traceback for each, every second, and would wait in its own loop for a broker that is away. The
    workers tick by themselves meanwhile.
    """

    @property
    def producer(self) -> Any:  # noqa: ANN401 - Celery's has a type, and this is None
        """Say that there is none: Celery would connect for it before it asks ``apply_async``, and wait for ever."""

    def apply_async(
        self,
        entry: ScheduleEntry,
        producer: Any = None,  # noqa: ANN401 - Celery's own signature
        advance: bool = True,  # noqa: FBT001, FBT002 - as above
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Publish one entry, unless the queue is full or the broker away."""
        try:
            if Hints(self.app).queued() < _CAP:
                return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        except (BrokerUnavailable, SchedulingError) as error:
            why = type(error).__name__
            log.warning("beat publishes nothing until the broker answers", why=why, once_in_seconds=_TELL_SECONDS)
        return None
