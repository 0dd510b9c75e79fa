"""Pause datasets and end their pauses: for what reason, which datasets, for how long.

A pause has one of three scopes. What only this machine suffers from is the breaker's (``breaker.py``). What is about a
dataset pauses that one. What is about an access token, or the app behind it, pauses every dataset that has the token;
these try again one after the other, and the first success resumes them all (decision 6 says why).
"""

import random
from collections.abc import Mapping
from contextlib import suppress

import structlog

from worker.backoff import blocked_seconds, limited_ms, stagger_seconds
from worker.batch import Batch
from worker.datasets import Datasets
from worker.errors import StoreUnavailable
from worker.outcome import Detail, Outcome, RateLimited, TokenDead
from worker.store import Store
from worker.usage import Usage

log = structlog.get_logger(__name__)

_BLOCKED_SECONDS = 15 * 60.0
_DEAD_FULL_SECONDS = 15 * 60.0
_TOKEN_SECONDS = 30 * 60.0


class Pauses:
    """Each method but ``near_limit`` and ``passed`` also gives the lane back: it waits for the end of the pause."""

    def __init__(self, store: Store, datasets: Datasets) -> None:
        self._store = store
        self._datasets = datasets

    def without_token(self, work: Batch) -> None:
        """Pause a dataset that cannot be sent to; the tick resumes it when it sees a token."""
        why = "this dataset is not in the datasets file" if work.dataset is None else "this dataset has no token"
        self._store.admin.pause(work.lease.dataset_id, reason="no_token", seconds=None, detail=why)
        work.retry(0)
        log.error("dataset paused, its events wait", dataset_id=work.lease.dataset_id, reason="no_token", why=why)

    def blocked(self, work: Batch, detail: Detail, *, reason: str, least_seconds: float | None = None) -> None:
        """Pause this dataset: whatever its events are, Meta takes none."""
        seconds = blocked_seconds(least_seconds or _BLOCKED_SECONDS, work.lease.pause_failures + 1, random.random())
        self._pause(work, {work.lease.dataset_id: seconds}, detail, reason=reason, failed=True)
        work.retry(0)

    def dead_full(self, work: Batch) -> None:
        """Pause a dataset that has as many dead letters as it may have: it would rather wait than lose one of them."""
        why = "it has as many dead letters as CAPI_DEAD_LETTERS allows: replay or purge some"
        self._store.admin.pause(work.lease.dataset_id, reason="dead_full", seconds=_DEAD_FULL_SECONDS, detail=why)
        log.error("dataset paused, its events wait", dataset_id=work.lease.dataset_id, reason="dead_full", why=why)

    def token_dead(self, work: Batch, detail: Detail) -> None:
        """Pause every dataset of this token; the tick resumes them when it sees another one."""
        seconds = blocked_seconds(_TOKEN_SECONDS, work.lease.pause_failures + 1, random.random())
        self._pause(work, self._staggered(work, seconds), detail, reason="token", failed=True, scope_is_token=True)
        work.retry(0)

    def limited(self, work: Batch, outcome: RateLimited) -> None:
        """Pause after a limit was met, for as long as Meta says."""
        self._limit(work, outcome.detail, outcome.seconds, is_app=outcome.scope == "app", failed=True)
        work.retry(0)

    def near_limit(self, work: Batch, outcome: Outcome, usage: Usage) -> bool:
        """Pause before the limit is met, where the headers of any answer say that it is near; True: so it was."""
        if not usage.at_the_limit or isinstance(outcome, RateLimited | TokenDead):
            return False
        detail = Detail(None, None, f"{min(usage.percent, 999):.0f} % of Meta's limit of calls is used up", None, None)
        with suppress(StoreUnavailable):  # what was delivered must be settled, and that waits for the store
            self._limit(work, detail, usage.seconds, is_app=usage.scope == "app", failed=False)
        return True

    def passed(self, work: Batch) -> None:
        """After the test of a token's pause was delivered, resume every dataset that the pause concerned."""
        reason, token = work.lease.tests_pause, work.dataset.token if work.dataset else None
        if not reason or token is None:
            return
        concerned = ("token", reason, token.fingerprint)
        resumed = [
            dataset_id
            for dataset_id, pause in self._store.admin.pauses().items()
            if (pause.scope, pause.reason, pause.fingerprint) == concerned
            and self._store.admin.resume(dataset_id, only_reason=reason)
        ]
        if resumed:
            log.info("datasets resumed: another one of their token was delivered", datasets=len(resumed), reason=reason)

    def _limit(self, work: Batch, detail: Detail, hint_seconds: float | None, *, is_app: bool, failed: bool) -> None:
        failures = work.lease.pause_failures + 1 if failed else 1
        seconds = limited_ms(hint_seconds, failures, random.random()) / 1000
        ends = self._staggered(work, seconds) if is_app else {work.lease.dataset_id: seconds}
        self._pause(work, ends, detail, reason="rate_limited", failed=failed, scope_is_token=is_app)

    def _staggered(self, work: Batch, seconds: float) -> dict[str, float]:
        """Return the pause of each dataset of the token: a place in line that is the same whoever asks."""
        assert work.dataset is not None  # noqa: S101 - a request was sent with its token
        ids = sorted(self._datasets.sharing(work.dataset))  # not even this one, where its token was replaced meanwhile
        return {each: seconds + stagger_seconds(place, len(ids)) for place, each in enumerate(ids)}

    def _pause(
        self,
        work: Batch,
        seconds_of: Mapping[str, float],
        detail: Detail,
        *,
        reason: str,
        failed: bool,
        scope_is_token: bool = False,
    ) -> None:
        if not seconds_of:
            return
        token = work.dataset.token if work.dataset else None  # the one it was sent with: there may be another by now
        for dataset_id, seconds in seconds_of.items():
            self._store.admin.pause(
                dataset_id,
                reason=reason,
                seconds=seconds,
                code=detail.code,
                subcode=detail.subcode,
                fingerprint=token.fingerprint if token else "",
                detail=detail.title,
                failures=work.lease.pause_failures + 1 if failed else 0,
                scope="token" if scope_is_token else "dataset",
            )
        log.error(
            "datasets paused, their events wait",
            dataset_ids=list(seconds_of)[:20],
            reason=reason,
            why=detail.title,
            code=detail.code,
            subcode=detail.subcode,
            fbtrace_id=detail.fbtrace_id,
            next_try_in_seconds=round(min(seconds_of.values()), 1),
        )
