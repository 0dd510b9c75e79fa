"""What the Celery tasks do: deliver, tick, sweep. Each is safe to run at any time, any number of times."""

import time

import structlog

from worker.dead_letters import age_out
from worker.doctor.start import examine, refusals
from worker.errors import BrokerUnavailable, StoreUnavailable
from worker.hints import Hints
from worker.reports import CheckIns
from worker.runtime import Runtime
from worker.tick import eligible_lanes, hints_wanted, resume_repaired

log = structlog.get_logger(__name__)

# Each worker sweeps so often, and beat asks for it too: it is slow repair of what should not happen.
SWEEP_SECONDS = 600

# Each worker tells of itself so often.
SIGN_SECONDS = 5

# While something is away, each line about it is written once in so many seconds.
_TELL_SECONDS = 60

Summary = dict[str, int | float | str]


class Duties:
    """One process's duties. A store or broker that is away is not an error of the task: the next tick tries again."""

    def __init__(self, runtime: Runtime, hints: Hints) -> None:
        self._runtime = runtime
        self._hints = hints
        self._check_in = CheckIns(on=runtime.settings.sentry_monitors)
        self._is_stopped = False

    def deliver(self) -> Summary:
        """Deliver what is due, then tick, so that delivery goes on without beat."""
        started = time.monotonic()
        try:
            with self._runtime.pump.activity.pump():
                tally = self._runtime.pump.run()
        except StoreUnavailable as error:
            log.error("delivery stops until the event store answers", why=str(error), once_in_seconds=_TELL_SECONDS)
            return {"stopped": "event store unavailable"}
        if tally.lanes:  # a pump that found nothing publishes nothing, or hints would breed hints
            self.tick()
        return {
            "lanes": tally.lanes,
            **dict(sorted(tally.doors.items())),  # early: Flower shows the first words of it
            "requests": tally.requests,
            "seconds": round(time.monotonic() - started, 1),
        }

    def examine(self) -> None:
        """Look at the event store's server before anything is taken from it.

        Raises:
            MisconfiguredError: with this server or these libraries events would be lost, or never delivered.
        """
        examine(self._runtime.store)

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
            log.error("the event store does not answer yet; delivery begins when it does", why=str(error))
        if gone:
            log.warning("the server was full; delivered before starting", events=gone)
        return gone

    def tick(self) -> Summary:
        """Publish as many hints as there are lanes worth taking; resume what has a new token."""
        told = self._tick()
        stopped = "stopped" in told
        if self._is_stopped and not stopped:
            log.info("event store and broker answer again; delivery goes on")
        self._is_stopped = stopped
        self._check_in("capi-tick", ok=not stopped)
        return told

    def _tick(self) -> Summary:
        try:
            self._runtime.pump.give_back()
            resumed = resume_repaired(self._runtime.store, self._runtime.datasets)
            eligible = eligible_lanes(self._runtime.store)
            queued = self._hints.queued() if eligible else 0
            wanted = hints_wanted(eligible, queued, self._runtime.settings.max_hints)
            told: Summary = {"eligible": eligible, "queued": queued, "resumed": len(resumed)}
            return {**told, "hints": self._hints.publish(wanted)}
        except StoreUnavailable as error:
            log.error("no tick until the event store answers", why=str(error), once_in_seconds=_TELL_SECONDS)
            return {"stopped": "event store unavailable"}
        except BrokerUnavailable as error:
            log.error("no hints until the broker answers", why=str(error), once_in_seconds=_TELL_SECONDS)
            return {"stopped": "broker unavailable"}

    def keep_going(self) -> Summary:
        """Tick, and while no hint can be published deliver right here: no event depends on the broker."""
        told = self.tick()
        return self.deliver() if told.get("stopped") == "broker unavailable" else told

    def tell_of_life(self) -> int:
        """Tell the store what this worker is at; return how many workers do, 0 while the store does not answer."""
        sign = self._runtime.pump.activity.sign(self._runtime.settings.concurrency, self._runtime.breaker.trouble())
        try:
            return self._runtime.store.workers.tell(sign)
        except StoreUnavailable:
            return 0  # the tick tells of it

    def sweep(self) -> Summary:
        """Repair the lane index, tell the producers how much may wait, and delete dead letters that are too old."""
        told = self._sweep()
        self._check_in("capi-sweep", ok="stopped" not in told)
        return told

    def _sweep(self) -> Summary:
        try:
            repaired = self._runtime.store.admin.sweep()
            cap = self._runtime.store.admin.refresh_cap()
            aged_out = age_out(self._runtime.store, self._runtime.settings.dead_letter_days)
            self._runtime.store.server.recount_remembered()
        except StoreUnavailable as error:
            log.error("no sweep until the event store answers", why=str(error), once_in_seconds=_TELL_SECONDS)
            return {"stopped": "event store unavailable"}
        for finding in refusals(self._runtime.store):  # it was changed, or was away at the start
            log.critical("the event store is not safe", finding=finding.finding, fix=finding.fix)
        if repaired:
            log.error("lanes were missing from the index and are back", lanes=repaired)
        for dataset_id, letters in aged_out.items():
            log.warning("dead letters deleted: they were too old", dataset_id=dataset_id, dead_letters=letters)
        return {"repaired": repaired, "cap_bytes": cap, "aged_out": sum(aged_out.values())}
