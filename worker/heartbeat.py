"""The worker's own heartbeat: ticks and sweeps in each worker process, so that nothing depends on beat.

While the broker is away or full, this thread delivers by itself: events must not wait for a message that cannot be
sent.
"""

import threading
import time

import structlog

from worker.duties import SWEEP_SECONDS, Duties
from worker.shutdown import Shutdown

log = structlog.get_logger(__name__)

PERIOD_SECONDS = 1.0


class Heartbeat(threading.Thread):
    """A daemon thread that ticks until the worker shuts down."""

    def __init__(self, duties: Duties, shutdown: Shutdown) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._duties = duties
        self._shutdown = shutdown

    def run(self) -> None:
        """Tick, and sweep now and then; whatever goes wrong, the next tick is tried."""
        next_sweep = time.monotonic()
        while not self._shutdown.wait(PERIOD_SECONDS):
            try:
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                    self._duties.sweep()
                self._duties.keep_going()
            except Exception:
                log.exception("a tick failed; the next one is tried", next_try_in_seconds=PERIOD_SECONDS)
