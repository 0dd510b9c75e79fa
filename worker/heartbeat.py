"""The worker's own heartbeat: ticks and sweeps in each worker process, so that nothing depends on beat.

While the broker is away or full, this thread delivers by itself: events must not wait for a message that cannot be
sent.
"""

import threading
import time

import structlog

from worker.duties import SIGN_SECONDS, SWEEP_SECONDS, Duties
from worker.shutdown import Shutdown
from worker.watchdog import Watchdog, end_this_worker

log = structlog.get_logger(__name__)

PERIOD_SECONDS = 1.0


class Heartbeat(threading.Thread):
    """A daemon thread that ticks until the worker shuts down."""

    def __init__(self, duties: Duties, shutdown: Shutdown, *, deaf_seconds: float) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._duties = duties
        self._shutdown = shutdown
        self._deaf_seconds = deaf_seconds
        self._watchdog = Watchdog(deaf_seconds)

    def run(self) -> None:
        """Tick, and sweep now and then; whatever goes wrong, the next tick is tried."""
        next_sweep = next_sign = time.monotonic()
        while not self._shutdown.wait(PERIOD_SECONDS):
            try:
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                    self._duties.sweep()
                if time.monotonic() >= next_sign:
                    next_sign = time.monotonic() + SIGN_SECONDS
                    self._duties.tell_of_life()
                told = self._duties.keep_going()
                due, hints = int(told.get("eligible", 0)), int(told.get("queued", 0))
                if self._watchdog.deaf(lanes_due=due, hints_waiting=hints) and not self._shutdown.is_set():
                    end_this_worker(self._deaf_seconds)
            except Exception:
                log.exception(
                    "a tick failed; the next one is tried", next_try_in_seconds=PERIOD_SECONDS, once_in_seconds=60
                )
