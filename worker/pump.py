"""A pump: take lane after lane until the time budget ends or nothing is due."""

import threading
import time
from contextlib import suppress
from dataclasses import replace

import structlog

from worker.activity import Activity
from worker.batch import Tally
from worker.breaker import LocalBreaker
from worker.bulkhead import Admission, Bulkhead
from worker.errors import StoreUnavailable
from worker.relay import Relay
from worker.shutdown import Shutdown
from worker.store import Lease, Look, Settlement, Store

log = structlog.get_logger(__name__)

# Nothing eligible: wait for the next lane if it falls due this soon, so that a tick's second is not added to an event's
# age. Later ones are the tick's business.
WAIT_MS = 1_500
# How far behind lanes of slow datasets, which no slot is left for, a pump looks for another one.
_LOOK_BEHIND = 1_000


class Pump:
    """What ``capi.deliver`` runs."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        breaker: LocalBreaker,
        bulkhead: Bulkhead,
        shutdown: Shutdown,
        budget_seconds: float,
        max_events: int,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._relay = relay
        self._breaker = breaker
        self._bulkhead = bulkhead
        self._shutdown = shutdown
        self._budget_seconds = budget_seconds
        self._limits = {"max_events": max_events, "max_bytes": max_bytes}
        self._waiter = threading.Lock()
        self._left: list[Lease] = []
        self._informed = False
        self.activity = Activity()

    def run(self) -> Tally:
        """Deliver what is due; the lane is chosen now, not when the hint was sent.

        Raises:
            StoreUnavailable: Redis is away; leases expire by themselves.
        """
        self.give_back()
        if not self._informed:
            self._bulkhead.expect_slow(self._store.slow.ids())
            self._informed = True
        tally = Tally()
        end = time.monotonic() + self._budget_seconds
        while time.monotonic() < end and not self._shutdown.is_set():
            look = self._store.lanes.look()
            # Asked only with something to send: a pump that finds nothing must not use up the one try.
            if look.lanes and not self._breaker.allows():
                break
            with self._bulkhead.admission() as admission:
                lease = self._claim(look, admission)
                if lease is not None:
                    self._work_on(lease, tally)
                    continue
            if look.lanes or look.next_due_ms is None or look.next_due_ms > WAIT_MS:
                break  # others were faster, or nothing falls due soon
            if not self._wait(look.next_due_ms):
                break
        return tally

    def _work_on(self, lease: Lease, tally: Tally) -> None:
        was_slow = self._bulkhead.is_slow(lease.dataset_id)
        with self.activity.lane():
            try:
                self._relay.run(lease, tally)
            except StoreUnavailable:
                self._left.append(replace(lease, entries=()))
                raise
        is_slow = self._bulkhead.is_slow(lease.dataset_id)
        if is_slow != was_slow:
            with suppress(StoreUnavailable):  # it is for the next process to start, which can also do without
                self._store.slow.note(lease.dataset_id, slow=is_slow)

    def give_back(self) -> int:
        """Give back the lanes whose store went away in the middle of a batch; return how many.

        Else they would wait for their lease's end, and an outage that struck before the mark would look like the death
        of a worker, for which events are blamed in the end. A lease that somebody else has by now is left to him.

        Raises:
            StoreUnavailable: Redis is still away.
        """
        given = 0
        with suppress(IndexError):
            while True:
                lease = self._left.pop()
                try:
                    self._store.lanes.settle(lease, Settlement("retry", in_doubt=True))
                except StoreUnavailable:
                    self._left.append(lease)
                    raise
                given += 1
        return given

    def _claim(self, look: Look, admission: Admission) -> Lease | None:
        """Lease a lane that may be taken; where only slow datasets stand in front, look further back."""
        admitted = look.admitted(admission.admits)
        if look.lanes and not admitted.lanes:
            admitted = self._store.lanes.look(names=_LOOK_BEHIND).admitted(admission.admits)
        lease = self._store.lanes.claim(admitted, **self._limits)
        if lease is not None:
            admission.took(lease.dataset_id)
        return lease

    def _wait(self, due_ms: int) -> bool:
        """Sleep until the next lane falls due; one pump of a process does, the others end."""
        if not self._waiter.acquire(blocking=False):
            return False
        try:
            self._shutdown.wait(due_ms / 1000)
        finally:
            self._waiter.release()
        return True
