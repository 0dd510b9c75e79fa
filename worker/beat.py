"""Celery beat's scheduler: keeps no file, and publishes nothing while enough waits in the broker.

Redis gives messages no time to live: without the cap, an hour without workers would leave thousands of ticks behind.
"""

from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from worker.hints import Hints

_CAP = 64


class CappedScheduler(Scheduler):
    """A scheduler whose entries are worth nothing late: what cannot be published now is left out."""

    def apply_async(
        self,
        entry: ScheduleEntry,
        producer: Any = None,  # noqa: ANN401 - Celery's own signature
        advance: bool = True,  # noqa: FBT001, FBT002 - as above
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Publish one entry, unless the queue is full."""
        if Hints(self.app).queued() >= _CAP:
            return None
        return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
