"""Decide what an answer means: one pure function from what came back to a closed set of outcomes.

The body is read first and the status second, because Meta's rate limits and passing faults come as HTTP 400 and 403,
and its errors even as 200. Codes decide, never texts: these come in the language of the token's owner (Meta:
error-handling).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from worker.answer import Answer, InDoubt, NotSent, Response
from worker.detail import Detail, detail_of, object_in
from worker.error_table import Verdict, row_of, status_verdict
from worker.redact import safe_text
from worker.usage import LIMIT_PERCENT, usage_of, wait_seconds

__all__ = [
    "DatasetBlocked",
    "Delivered",
    "Detail",
    "EventRejected",
    "LocalTrouble",
    "Outcome",
    "RateLimited",
    "TokenDead",
    "TooLarge",
    "Transient",
    "Unknown",
    "classify",
]

_INDEX = re.compile(r"\$\['data'\]\[([0-9]{1,9})\]")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Meta took the batch."""

    fbtrace_id: str | None
    shortfall: int
    """How many of the events sent Meta did not count as received; never sent again."""


@dataclass(frozen=True, slots=True)
class EventRejected:
    """One event is bad and Meta took none of the batch."""

    detail: Detail
    index: int | None
    """Its place in the batch, where Meta names it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Refused, and the code does not say whose fault it is: single events will show."""

    detail: Detail


@dataclass(frozen=True, slots=True)
class DatasetBlocked:
    """Nothing can be sent to this dataset for now, whatever the events are."""

    detail: Detail
    least_seconds: float | None = None
    """The shortest pause that the code asks for; None: as for any other."""


@dataclass(frozen=True, slots=True)
class TokenDead:
    """The access token is no good any more."""

    detail: Detail


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Too many calls: wait; this uses up no attempt."""

    detail: Detail
    seconds: float | None
    """How long Meta asks to wait, clamped; None: it does not say."""
    scope: Literal["dataset", "app"]
    """app: all datasets that share the access token."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The request is too big: halve it and remember the size."""

    detail: Detail


@dataclass(frozen=True, slots=True)
class Transient:
    """It may pass: the same batch again later."""

    detail: Detail
    in_doubt: bool
    """Whether Meta may have taken the batch."""
    seconds: float | None = None
    """The least wait that the answer asks for, clamped; None: it asks for none."""


@dataclass(frozen=True, slots=True)
class LocalTrouble:
    """This machine cannot reach Meta; others may."""

    reason: str


Outcome = (
    Delivered | EventRejected | Unknown | DatasetBlocked | TokenDead | RateLimited | TooLarge | Transient | LocalTrouble
)


def classify(answer: Answer, sent: int) -> Outcome:
    """Return what the answer to a POST of so many events means; never raises, whatever the bytes are."""
    match answer:
        case NotSent(reason):
            return LocalTrouble(reason)
        case InDoubt(reason):
            return Transient(Detail(None, None, safe_text(reason), None, None), in_doubt=True)
    body = object_in(answer.body)
    raw_error = body.get("error")
    error: Mapping[str, object] = raw_error if isinstance(raw_error, dict) else {}
    detail = detail_of(answer, body, error)
    received = body.get("events_received")
    if raw_error is None and _is_2xx(answer.status) and isinstance(received, int) and not isinstance(received, bool):
        return Delivered(detail.fbtrace_id, max(0, sent - received)) if received > 0 else _transient(answer, detail)
    verdict = _verdict(answer, detail, error)
    if verdict == "event":
        return EventRejected(detail, _named_index(error, sent))
    return _batch_outcome(verdict, answer, detail)


def _verdict(answer: Response, detail: Detail, error: Mapping[str, object]) -> Verdict:
    """Decide by the code, and by the status where no code is known."""
    row = row_of(detail.code, detail.subcode)
    verdict = row.verdict if row else "unknown"
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "too large"
    if verdict in {"app limit", "dataset limit"}:  # these come with is_transient too
        return verdict
    if error.get("is_transient") is True:
        return "transient"
    if verdict == "unknown":
        return _verdict_by_status(answer, has_error=bool(error))
    return verdict


def _verdict_by_status(answer: Response, *, has_error: bool) -> Verdict:
    verdict = status_verdict(answer.status, bare=not has_error)
    usage = usage_of(answer.headers)
    if _is_4xx(answer.status) and verdict in {"unknown", "dataset"} and usage.percent >= LIMIT_PERCENT:
        return "app limit" if usage.scope == "app" else "dataset limit"
    return verdict


def _batch_outcome(verdict: Verdict, answer: Response, detail: Detail) -> Outcome:
    match verdict:
        case "dataset":
            row = row_of(detail.code, detail.subcode)
            return DatasetBlocked(detail, row.least_seconds if row else None)
        case "token":
            return TokenDead(detail)
        case "app limit" | "dataset limit":
            return RateLimited(detail, _limit_seconds(answer, detail), "app" if verdict == "app limit" else "dataset")
        case "too large":
            return TooLarge(detail)
        case "transient":
            return _transient(answer, detail)
    return Unknown(detail)


def _limit_seconds(answer: Response, detail: Detail) -> float | None:
    seconds = wait_seconds(answer.headers)
    row = row_of(detail.code, detail.subcode)
    return row.least_seconds if seconds is None and row else seconds


def _transient(answer: Response, detail: Detail) -> Transient:
    """A clean 4xx says that the batch was not taken; behind a 5xx, or a 200 that is no success, it may have been."""
    return Transient(detail, in_doubt=not _is_4xx(answer.status), seconds=wait_seconds(answer.headers))


def _named_index(error: Mapping[str, object], sent: int) -> int | None:
    """Return the event that the message points at: the path in it is the same in every language."""
    texts = (text for text in (error.get("error_user_msg"), error.get("message")) if isinstance(text, str))
    found = next(filter(None, map(_INDEX.search, texts)), None)
    index = int(found[1]) if found else -1
    return index if 0 <= index < sent else None


def _is_2xx(status: int) -> bool:
    return status // 100 == 2  # noqa: PLR2004 - HTTP's successes


def _is_4xx(status: int) -> bool:
    return status // 100 == 4  # noqa: PLR2004 - HTTP's refusals
