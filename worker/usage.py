"""Read what the headers of Meta's answers say about limits: how much is used up and when to come back.

Meta: rate-limiting. Every value may be missing, of another type or absurd; nothing here raises for it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Literal

LIMIT_PERCENT = 95.0
_APP = "x-app-usage"
_ACCOUNT = "x-ad-account-usage"
_BUSINESS = "x-business-use-case-usage"
_PERCENT_KEYS = ("call_count", "total_time", "total_cputime", "acc_id_util_pct")
_MOST_REGAIN_SECONDS = 3600.0
_MOST_RETRY_AFTER_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of Meta's limits an answer says is used up."""

    percent: float
    """Of the limit that is used most; 0: the headers say nothing, which is usual near 0 %."""
    scope: Literal["dataset", "app"]
    """Whose limit that is; app: all datasets share it that share the access token."""
    seconds: float | None
    """How long Meta asks to wait, clamped; None: it does not say."""

    @property
    def at_the_limit(self) -> bool:
        """Say whether to stop before Meta refuses the next call."""
        return self.percent >= LIMIT_PERCENT


NO_USAGE = Usage(0.0, "dataset", None)


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read the headers of any answer, of a success too; where the app is at its limit, the app counts."""
    app = _highest(_entries(headers, _APP))
    own = _highest([*_entries(headers, _ACCOUNT), *_entries(headers, _BUSINESS)])
    scope: Literal["dataset", "app"] = "app" if app > own or app >= LIMIT_PERCENT else "dataset"
    return Usage(max(app, own), scope, wait_seconds(headers))


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the longest wait that the headers ask for, each clamped; None: they ask for none."""
    regain_minutes = (entry.get("estimated_time_to_regain_access") for entry in _entries(headers, _BUSINESS))
    # The account's reset time is always there, whoever asks: it is a wait only for one whom the limit stops.
    reset_seconds = (
        entry.get("reset_time_duration")
        for entry in _entries(headers, _ACCOUNT)
        if (_number(entry.get("acc_id_util_pct")) or 0) >= LIMIT_PERCENT
    )
    waits = [
        retry_after_seconds(headers),
        *(_regain_seconds(minutes, 60) for minutes in regain_minutes),
        *(_regain_seconds(seconds, 1) for seconds in reset_seconds),
    ]
    return max(filter(None, waits), default=None)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the Retry-After header in seconds, clamped to [1 s, 15 min]; a date counts from the answer's own Date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", value):
        seconds = float(value)
    else:
        try:
            wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = wait.total_seconds()
    return min(max(seconds, 1.0), _MOST_RETRY_AFTER_SECONDS)


def _regain_seconds(value: object, unit_seconds: int) -> float | None:
    """Clamp Meta's estimate to [1 s, 1 h]; 0 is what it sends where nothing is limited."""
    number = _number(value) or 0
    return min(max(number * unit_seconds, 1.0), _MOST_REGAIN_SECONDS) if number > 0 else None


def _entries(headers: Mapping[str, str], name: str) -> list[dict[str, object]]:
    """Return the header's objects: of app and account one, of the business header those of every business."""
    try:
        value = json.loads(headers.get(name, ""))
    except (ValueError, RecursionError):
        return []
    if not isinstance(value, dict):
        return []
    if name != _BUSINESS:
        return [value]
    lists = (entries for entries in value.values() if isinstance(entries, list))
    return [entry for entries in lists for entry in entries if isinstance(entry, dict)]


def _highest(entries: Iterable[dict[str, object]]) -> float:
    return max((_number(entry.get(key)) or 0.0 for entry in entries for key in _PERCENT_KEYS), default=0.0)


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
