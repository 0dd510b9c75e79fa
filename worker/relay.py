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

from worker import outcome as says
from worker.backoff import full_jitter_ms, limited_ms
from worker.batch import Batch, Tally
from worker.breaker import LocalBreaker
from worker.datasets import Datasets
from worker.graph import GraphClient, body_of
from worker.intake import Sendable, bury
from worker.outcome import Detail, Outcome, classify
from worker.parts import Parts
from worker.quality import count_sample
from worker.store import Lease, Store

log = structlog.get_logger(__name__)

# A batch may cost so many POSTs; the rest waits for the next lease, which goes on where this one stopped.
_POST_BUDGET = 64
_BUDGET_PAUSE_MS = 1_000
# So many failures in a row, and the batch is probed: one event alone may provoke them.
_SUSPICIOUS_TRIES = 5
_TRANSIENT = -1
_BLOCKED_SECONDS = 15 * 60
_BLOCKED_LONGEST_SECONDS = 3600
_TOKEN_SECONDS = 30 * 60


class Relay:
    """Work on leased batches, one at a time per thread."""

    def __init__(
        self,
        *,
        store: Store,
        graph: GraphClient,
        datasets: Datasets,
        breaker: LocalBreaker,
        freshness_seconds: float,
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._graph = graph
        self._datasets = datasets
        self._breaker = breaker
        self._freshness_seconds = freshness_seconds
        self._stopping = stopping

    def run(self, lease: Lease, tally: Tally) -> None:
        """Take one leased batch to its end.

        Raises:
            StoreUnavailable: Redis could not be written; the lease expires by itself.
        """
        tally.lanes += 1
        work = Batch(self._store, lease, self._datasets.get(lease.dataset_id), tally)
        if lease.crashed:
            work.release(dead=[bury(lease.entries[0], "crashed", None)])
            return
        good = work.validate()
        if not good:
            return  # all of it has left
        if work.dataset is None or work.dataset.token is None:
            self._pause_without_token(work)
        else:
            self._deliver(work, Parts(good))

    def _deliver(self, work: Batch, parts: Parts) -> None:
        """POST part after part until all events have left, or something says to stop."""
        while part := parts.next():
            if self._stopping() or work.posts >= _POST_BUDGET:
                work.retry(0 if self._stopping() else _BUDGET_PAUSE_MS)
                return
            if not work.mark(part):
                log.warning("lease lost, nothing was sent", dataset_id=work.lease.dataset_id, lane=work.lease.lane)
                return
            outcome = self._post(work, part)
            if not self._act(work, parts, part, outcome):
                return
        work.release()

    def _post(self, work: Batch, part: Sequence[Sendable]) -> Outcome:
        dataset = work.dataset
        assert dataset is not None  # noqa: S101 - run() has paused a dataset without a token
        assert dataset.token is not None  # noqa: S101 - as above
        body = body_of(
            [item.entry.event for item in part],
            test_event_code=dataset.test_event_code,
            partner_agent=dataset.partner_agent,
        )
        started = time.monotonic()
        outcome = classify(self._graph.post(dataset.dataset_id, dataset.token, body), len(part))
        log.info(
            "request answered",
            dataset_id=dataset.dataset_id,
            lane=work.lease.lane,
            events=len(part),
            outcome=type(outcome).__name__,
            seconds=round(time.monotonic() - started, 3),
            fbtrace_id=_trace(outcome),
        )
        return outcome

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
                culprit = parts.rejected(part, index, detail.code)
                if culprit:
                    work.reject(culprit, detail)
                return True
            case says.Unknown(detail):
                return self._compare(work, parts, part, detail)
            case says.DatasetBlocked(detail):
                self._block(work, detail, reason="blocked")
                return False
            case says.TokenDead(detail):
                self._pause_token(work, detail)
                return False
            case says.RateLimited(detail, seconds, scope):
                self._pause_limited(work, detail, seconds, scope)
                return False
            case says.TooLarge(detail):
                if len(part) == 1:
                    work.reject(part[0], detail)
                else:
                    work.learnt_batch = max(1, len(part) // 2)
                    parts.halve(part)
                return True
            case says.Transient(_, in_doubt, seconds):
                if self._may_probe(work, outcome) and self._found_culprit(work, parts, part, outcome):
                    return True
                wait_ms = max(full_jitter_ms(work.lease.tries + 1, random.random()), int((seconds or 0) * 1000))
                work.retry(wait_ms, add_try=True, in_doubt=in_doubt)
                return False
            case says.LocalTrouble(reason):
                seconds = self._breaker.failed()
                work.retry(0)
                log.warning("this machine cannot reach Meta", reason=reason, next_try_in_seconds=seconds)
                return False
            case _:
                assert_never(outcome)

    def _may_probe(self, work: Batch, outcome: says.Transient) -> bool:
        """Say whether the batch has failed often enough, and whether its events may be sent once more at all."""
        at_most_once = outcome.in_doubt and work.dataset is not None and work.dataset.on_in_doubt == "hold"
        return work.lease.tries >= _SUSPICIOUS_TRIES and not at_most_once

    def _compare(self, work: Batch, parts: Parts, part: Sequence[Sendable], detail: Detail) -> bool:
        """Find out whose fault a code is that nobody knows; True: go on with the next part."""
        match parts.unknown(part, detail.code):
            case "probe":
                return True
            case "blocked":
                self._block(work, detail, reason="unknown_code")
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

    def _pause_without_token(self, work: Batch) -> None:
        why = "this dataset is not in the datasets file" if work.dataset is None else "this dataset has no token"
        self._store.admin.pause(work.lease.dataset_id, reason="no_token", seconds=None, detail=why)
        work.retry(0)
        log.error("dataset paused, its events wait", dataset_id=work.lease.dataset_id, reason="no_token", why=why)

    def _block(self, work: Batch, detail: Detail, *, reason: str) -> None:
        longer = 2 ** min(work.lease.pause_failures, 10)
        seconds = min(_BLOCKED_SECONDS * longer, _BLOCKED_LONGEST_SECONDS)
        self._pause(work, [work.lease.dataset_id], detail, reason=reason, seconds=seconds)
        work.retry(0)

    def _pause_token(self, work: Batch, detail: Detail) -> None:
        """Pause every dataset of this token; the tick resumes them when it sees another one."""
        assert work.dataset is not None  # noqa: S101 - a request was sent with its token
        self._pause(work, self._datasets.sharing(work.dataset), detail, reason="token", seconds=_TOKEN_SECONDS)
        work.retry(0)

    def _pause_limited(self, work: Batch, detail: Detail, seconds: float | None, scope: str) -> None:
        assert work.dataset is not None  # noqa: S101 - a request was sent for it
        ids = self._datasets.sharing(work.dataset) if scope == "app" else [work.lease.dataset_id]
        wait_ms = limited_ms(seconds, work.lease.pause_failures + 1, random.random())
        self._pause(work, ids, detail, reason="rate_limited", seconds=wait_ms / 1000)
        work.retry(0)

    def _pause(self, work: Batch, dataset_ids: Sequence[str], detail: Detail, *, reason: str, seconds: float) -> None:
        token = work.dataset.token if work.dataset else None  # the one it was sent with: there may be another by now
        for dataset_id in dataset_ids:
            self._store.admin.pause(
                dataset_id,
                reason=reason,
                seconds=seconds,
                code=detail.code,
                subcode=detail.subcode,
                fingerprint=token.fingerprint if token else "",
                detail=detail.title,
            )
        log.error(
            "datasets paused, their events wait",
            dataset_ids=list(dataset_ids)[:20],
            reason=reason,
            code=detail.code,
            subcode=detail.subcode,
            fbtrace_id=detail.fbtrace_id,
            next_try_in_seconds=round(seconds, 1),
        )


def _trace(outcome: Outcome) -> str | None:
    if isinstance(outcome, says.Delivered):
        return outcome.fbtrace_id
    detail = getattr(outcome, "detail", None)
    return detail.fbtrace_id if isinstance(detail, Detail) else None
