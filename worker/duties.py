"""What the Celery tasks do: deliver, tick, sweep. Each is safe to run at any time, any number of times."""

import time

import structlog

from worker.errors import BrokerUnavailable, StoreUnavailable
from worker.hints import Hints
from worker.runtime import Runtime
from worker.tick import eligible_lanes, hints_wanted, resume_repaired

log = structlog.get_logger(__name__)

# Each worker sweeps so often, and beat asks for it too: it is slow repair of what should not happen.
SWEEP_SECONDS = 600

Summary = dict[str, int | float | str]


class Duties:
    """One process's duties. A store or broker that is away is not an error of the task: the next tick tries again."""

    def __init__(self, runtime: Runtime, hints: Hints) -> None:
        self._runtime = runtime
        self._hints = hints

    def deliver(self) -> Summary:
        """Deliver what is due, then tick, so that delivery goes on without beat."""
        started = time.monotonic()
        try:
            tally = self._runtime.pump.run()
        except StoreUnavailable as error:
            log.warning("delivery stops until the event store answers", reason=str(error))
            return {"stopped": "event store unavailable"}
        if tally.lanes:  # a pump that found nothing publishes nothing, or hints would breed hints
            self.tick()
        return {
            "lanes": tally.lanes,
            "requests": tally.requests,
            **dict(sorted(tally.doors.items())),
            "seconds": round(time.monotonic() - started, 1),
        }

    def relieve(self) -> int:
        """Deliver without the broker while its server is full, or Celery could not even start; return the events.

        Only our own scripts run on a server at maxmemory: they make the room that everything else needs.

        Raises:
            MisconfiguredError: the event store has another number of shards than CAPI_SHARDS says.
        """
        gone = 0
        try:
            log.info("the event store answers", shards=self._runtime.store.shards)
            while self._runtime.settings.one_server and self._runtime.store.admin.is_full():
                tally = self._runtime.pump.run()
                if not tally.lanes:
                    break
                gone += tally.doors.total()
        except StoreUnavailable as error:
            log.warning("the event store does not answer yet", reason=str(error))
        if gone:
            log.warning("the server was full; delivered before starting", events=gone)
        return gone

    def tick(self) -> Summary:
        """Publish as many hints as there are lanes worth taking; resume what has a new token."""
        try:
            resumed = resume_repaired(self._runtime.store, self._runtime.datasets)
            eligible = eligible_lanes(self._runtime.store)
            wanted = hints_wanted(eligible, self._hints.queued(), self._runtime.settings.max_hints) if eligible else 0
            return {"eligible": eligible, "hints": self._hints.publish(wanted), "resumed": len(resumed)}
        except StoreUnavailable as error:
            log.warning("no tick until the event store answers", reason=str(error))
            return {"stopped": "event store unavailable"}
        except BrokerUnavailable as error:
            log.warning("no hints until the broker answers", reason=str(error))
            return {"stopped": "broker unavailable"}

    def keep_going(self) -> Summary:
        """Tick, and while no hint can be published deliver right here: no event depends on the broker."""
        told = self.tick()
        return self.deliver() if told.get("stopped") == "broker unavailable" else told

    def sweep(self) -> Summary:
        """Repair the lane index, and tell the producers how much may wait."""
        try:
            repaired = self._runtime.store.admin.sweep()
            cap = self._runtime.store.admin.refresh_cap()
        except StoreUnavailable as error:
            log.warning("no sweep until the event store answers", reason=str(error))
            return {"stopped": "event store unavailable"}
        if repaired:
            log.error("lanes were missing from the index and are back", lanes=repaired)
        return {"repaired": repaired, "cap_bytes": cap}
