"""A pump: take lane after lane until the time budget ends or nothing is due."""

import threading
import time

import structlog

from worker.batch import Tally
from worker.breaker import LocalBreaker
from worker.relay import Relay
from worker.shutdown import Shutdown
from worker.store import Store

log = structlog.get_logger(__name__)

# Nothing eligible: wait for the next lane if it falls due this soon, so that a tick's second is not added to an event's
# age. Later ones are the tick's business.
WAIT_MS = 1_500


class Pump:
    """What ``capi.deliver`` runs."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        breaker: LocalBreaker,
        shutdown: Shutdown,
        budget_seconds: float,
        max_events: int,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._relay = relay
        self._breaker = breaker
        self._shutdown = shutdown
        self._budget_seconds = budget_seconds
        self._limits = {"max_events": max_events, "max_bytes": max_bytes}
        self._waiter = threading.Lock()

    def run(self) -> Tally:
        """Deliver what is due; the lane is chosen now, not when the hint was sent.

        Raises:
            StoreUnavailable: Redis is away; leases expire by themselves.
        """
        tally = Tally()
        end = time.monotonic() + self._budget_seconds
        while time.monotonic() < end and not self._shutdown.is_set():
            look = self._store.lanes.look()
            # Asked only with something to send: a pump that finds nothing must not use up the one try.
            if look.lanes and not self._breaker.allows():
                break
            lease = self._store.lanes.claim(look, **self._limits)
            if lease is not None:
                self._relay.run(lease, tally)
            elif look.lanes or look.next_due_ms is None or look.next_due_ms > WAIT_MS:
                break  # others were faster, or nothing falls due soon
            elif not self._wait(look.next_due_ms):
                break
        return tally

    def _wait(self, due_ms: int) -> bool:
        """Sleep until the next lane falls due; one pump of a process does, the others end."""
        if not self._waiter.acquire(blocking=False):
            return False
        try:
            self._shutdown.wait(due_ms / 1000)
        finally:
            self._waiter.release()
        return True
