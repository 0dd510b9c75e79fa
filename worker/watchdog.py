"""Find out that this worker is up and takes no work, so that its supervisor can start another one.

Celery on Redis has stopped consuming after lost connections more than once, with a process that looks well. The sign of
it is three things at once, for a while: lanes are due, hints wait in the broker, and this worker neither starts a task
nor is at one. A worker whose threads are all busy with slow requests is at some, and is left alone.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import structlog
from celery.worker import state

log = structlog.get_logger(__name__)

_REPORT_SECONDS = 2.0
_SPELL_SECONDS = 10.0
"""Looks that lie further apart do not belong together: the process was stopped, or a look waited for Redis."""


class Watchdog:
    """Is told what waits, each second, and says when it has waited too long."""

    def __init__(
        self,
        limit_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        started: Callable[[], int] = lambda: sum(state.total_count.values()),
        running: Callable[[], int] = lambda: len(state.active_requests),
    ) -> None:
        """Look at nothing yet.

        Args:
            limit_seconds: for so long all signs must be there; 0: never say anything.
            clock: monotonic seconds.
            started: how many tasks this worker has taken since its start.
            running: how many it is at.
        """
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._started = started
        self._running = running
        self._since: float | None = None
        self._last_look = 0.0
        self._last_started = -1

    def deaf(self, *, lanes_due: int, hints_waiting: int) -> bool:
        """Take a look; return whether this worker has taken nothing for the whole limit although there was work."""
        now, started = self._clock(), self._started()
        idle = started == self._last_started and not self._running()
        in_one_spell = now - self._last_look <= _SPELL_SECONDS
        if not (idle and in_one_spell and lanes_due and hints_waiting):
            self._since = None
        elif self._since is None:
            self._since = now
        self._last_look, self._last_started = now, started
        return bool(self._limit_seconds) and self._since is not None and now - self._since >= self._limit_seconds


def end_this_worker(limit_seconds: float) -> NoReturn:
    """Say why in one line, let it be reported, and end at once: a worker that hangs might not end in good order.

    It runs no task, so no POST is cut off, and no lane of its own waits for a lease to expire.
    """
    log.critical(
        "this worker takes no work from the broker although work waits; "
        "it ends, so that its supervisor starts it again",
        seconds=limit_seconds,
    )
    if sdk := sys.modules.get("sentry_sdk"):  # loaded only where it is used
        sdk.flush(timeout=_REPORT_SECONDS)
    logging.shutdown()
    os._exit(1)
