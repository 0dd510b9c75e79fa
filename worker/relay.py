"""The main path: what becomes of one leased batch.

Validate, mark, POST, classify, settle; at the end the lane is released, or held for a retry. Every event leaves by
exactly one door, in the script that removes it. Whatever raises StoreUnavailable here leaves the lease to expire:
nothing is lost, and what may have been delivered stays marked.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import assert_never

import structlog

from capi_relay import failpoints
from worker import outcome as says
from worker.answer import Response
from worker.backoff import full_jitter_ms, slow_down_ms
from worker.batch import Batch, Tally
from worker.breaker import LocalBreaker
from worker.bulkhead import Bulkhead
from worker.datasets import Datasets
from worker.graph import GraphClient, body_of
from worker.intake import Sendable, bury
from worker.outcome import Detail, Outcome, classify
from worker.parts import Parts
from worker.pauses import Pauses
from worker.quality import count_sample
from worker.reports import batch_timed
from worker.store import Lease, Store
from worker.usage import NO_USAGE, Usage, usage_of

log = structlog.get_logger(__name__)

# A batch may cost so many POSTs; the rest waits for the next lease, which goes on where this one stopped.
_POST_BUDGET = 64
_BUDGET_PAUSE_MS = 1_000
# So many failures in a row, and the batch is probed: one event alone may provoke them.
_SUSPICIOUS_TRIES = 5
_TRANSIENT = (-1, None)
# A lane is held up for some 0.1 s by so many calls of the script that moves late events; the next lease goes on.
_MOVE_CALLS = 20
# What is this near to being late is moved with the late: else a little would be late again at each turn of a busy lane,
# be moved and end the turn, and no turn would ever come to send something fresh.
_NEARLY_LATE = 0.9


class Relay:
    """Work on leased batches, one at a time per thread."""

    def __init__(
        self,
        *,
        store: Store,
        graph: GraphClient,
        datasets: Datasets,
        breaker: LocalBreaker,
        bulkhead: Bulkhead,
        freshness_seconds: float,
        dead_letters: int,
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._graph = graph
        self._datasets = datasets
        self._pauses = Pauses(store, datasets)
        self._breaker = breaker
        self._bulkhead = bulkhead
        self._freshness_seconds = freshness_seconds
        self._dead_letters = dead_letters
        self._stopping = stopping

    def run(self, lease: Lease, tally: Tally) -> None:
        """Take one leased batch to its end.

        Raises:
            StoreUnavailable: Redis could not be written; the lease expires by itself.
        """
        tally.lanes += 1
        failpoints.reach("after_claim")
        dataset = self._datasets.get(lease.dataset_id)
        work = Batch(self._store, lease, dataset, tally, most_dead=self._dead_letters)
        try:
            with batch_timed(work):
                self._work_on(work)
        finally:
            work.tell_of_dead_letters()
        if work.dead_are_full:
            self._pauses.dead_full(work)

    def _work_on(self, work: Batch) -> None:
        if work.lease.crashed:
            work.release(dead=[bury(work.lease.entries[0], "crashed", None)])
            return
        if self._gave_way(work):
            return
        good = work.validate()
        failpoints.reach("after_validate")
        if not good:
            return  # all of it has left
        if work.dataset is None or work.dataset.token is None:
            self._pauses.without_token(work)
        else:
            self._deliver(work, Parts(good))

    def _gave_way(self, work: Batch) -> bool:
        """Move what became late out of the way of newer events; True: some was moved, and the lane is released."""
        lease = work.lease
        if not lease.holds_up_newer(self._freshness_seconds):
            return False
        after_seconds = self._freshness_seconds * _NEARLY_LATE
        moved, calls = self._store.lanes.move_late(lease, after_seconds), 1
        while moved and calls < _MOVE_CALLS and (more := self._store.lanes.move_late(lease, after_seconds)):
            moved, calls = moved + more, calls + 1
        if moved:
            log.warning("late events moved out of the way of newer ones", dataset_id=lease.dataset_id, events=moved)
            work.release()
        return moved > 0

    def _deliver(self, work: Batch, parts: Parts) -> None:
        """POST part after part until all events have left, or something says to stop."""
        while part := parts.next():
            if self._stopping():
                work.retry(0)
                return
            if work.posts >= _POST_BUDGET:
                work.learnt_batch = _POST_BUDGET // 2  # what can be taken apart to the last event within the budget
                work.retry(_BUDGET_PAUSE_MS)
                return
            if not work.mark(part):
                log.warning(
                    "lease lost, nothing was sent",
                    dataset_id=work.lease.dataset_id,
                    lane=work.lease.lane,
                    once_in_seconds=60,
                )
                return
            outcome, usage = self._post(work, part)
            near_limit = self._pauses.near_limit(work, outcome, usage)
            work.rest_ms = slow_down_ms(usage.percent, random.random())
            go_on = self._act(work, parts, part, outcome)
            if isinstance(outcome, says.Delivered) and not near_limit:
                self._pauses.passed(work)
            if not go_on:
                return
            if near_limit:
                work.retry(0)
                return
        work.release()

    def _post(self, work: Batch, part: Sequence[Sendable]) -> tuple[Outcome, Usage]:
        dataset = work.dataset
        assert dataset is not None  # noqa: S101 - run() has paused a dataset without a token
        assert dataset.token is not None  # noqa: S101 - as above
        body = body_of(
            [item.entry.event for item in part],
            test_event_code=dataset.test_event_code,
            partner_agent=dataset.partner_agent,
        )
        started = time.monotonic()
        answer = self._graph.post(dataset.dataset_id, dataset.token, body)
        seconds = time.monotonic() - started
        self._bulkhead.answered(dataset.dataset_id, seconds)
        outcome = classify(answer, len(part))
        work.answered(type(outcome).__name__, seconds)
        usage = usage_of(answer.headers) if isinstance(answer, Response) else NO_USAGE
        log.info(
            "request answered",
            dataset_id=dataset.dataset_id,
            lane=work.lease.lane,
            events=len(part),
            outcome=work.outcome,
            seconds=round(seconds, 3),
            usage_percent=usage.percent,
            fbtrace_id=_trace(outcome),
        )
        return outcome, usage

    def _act(self, work: Batch, parts: Parts, part: Sequence[Sendable], outcome: Outcome) -> bool:  # noqa: C901, PLR0911, PLR0912 - one case per outcome
        """Do what the outcome says; True: go on with the next part."""
        if not isinstance(outcome, says.LocalTrouble):
            self._breaker.reached()
        match outcome:
            case says.Delivered():
                parts.passed(part)
                work.delivered(part, outcome, self._freshness_seconds, last=parts.empty)
                count_sample(self._store, work.dataset, part)
                return not parts.empty
            case says.EventRejected(detail, index):
                failpoints.reach("in_bisect")
                culprit = parts.rejected(part, index)
                if culprit:
                    work.reject(culprit, detail)
                return True
            case says.Unknown(detail):
                return self._compare(work, parts, part, detail)
            case says.DatasetBlocked(detail, least_seconds):
                self._pauses.blocked(work, detail, reason="blocked", least_seconds=least_seconds)
                return False
            case says.TokenDead(detail):
                self._pauses.token_dead(work, detail)
                return False
            case says.RateLimited():
                self._pauses.limited(work, outcome)
                return False
            case says.TooLarge(detail):
                culprit = parts.too_large(part)
                if culprit:
                    work.reject(culprit, detail)
                else:
                    work.learnt_batch = max(1, len(part) // 2)
                return True
            case says.Transient(_, in_doubt, seconds):
                if self._may_probe(work, outcome) and self._found_culprit(work, parts, part, outcome):
                    return True
                wait_ms = max(full_jitter_ms(work.lease.tries + 1, random.random()), int((seconds or 0) * 1000))
                work.retry(wait_ms, add_try=True, in_doubt=in_doubt)
                return False
            case says.LocalTrouble(reason):
                seconds = self._breaker.failed(reason)
                work.retry(0)
                log.error("this machine cannot reach Meta", why=reason, next_try_in_seconds=seconds, once_in_seconds=60)
                return False
            case _:
                assert_never(outcome)

    def _may_probe(self, work: Batch, outcome: says.Transient) -> bool:
        """Say whether the batch has failed often enough, and whether its events may be sent once more at all."""
        at_most_once = outcome.in_doubt and work.dataset is not None and work.dataset.on_in_doubt == "hold"
        return work.lease.tries >= _SUSPICIOUS_TRIES and not at_most_once

    def _compare(self, work: Batch, parts: Parts, part: Sequence[Sendable], detail: Detail) -> bool:
        """Find out whose fault a code is that nobody knows; True: go on with the next part."""
        match parts.unknown(part, (detail.code, detail.subcode)):
            case "probe":
                return True
            case "blocked":
                self._pauses.blocked(work, detail, reason="unknown_code")
                return False
            case "alone":
                work.retry(full_jitter_ms(work.lease.tries + 1, random.random()), add_try=True)
                return False
            case culprit:
                work.reject(culprit, detail)
                return True

    def _found_culprit(self, work: Batch, parts: Parts, part: Sequence[Sendable], outcome: says.Transient) -> bool:
        """After many failures, see whether one event provokes them; False: all fail alike, it is not the events."""
        verdict = parts.failed_again(part, _TRANSIENT)
        if verdict in ("blocked", "alone"):
            return False
        if outcome.in_doubt:
            work.remember_doubt(part)
        if isinstance(verdict, Sendable):
            work.reject(verdict, outcome.detail)
        return True


def _trace(outcome: Outcome) -> str | None:
    if isinstance(outcome, says.Delivered):
        return outcome.fbtrace_id
    detail = getattr(outcome, "detail", None)
    return detail.fbtrace_id if isinstance(detail, Detail) else None
