"""Times as people give them, made the Unix seconds that Meta takes (Meta: server-event): pure.

What is the same whole number in another form becomes an integer always. What must be interpreted, milliseconds and
ISO 8601 among it, is converted only where a dataset asks for that (``coerce_times``); else it stays as it is, and the
schemas refuse it with a sentence that says what to send.
"""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeGuard

# In seconds this is the year 5138, in milliseconds 1973.
_MILLISECONDS_FROM: Final = 10**11
_MS_PER_SECOND: Final = 1000
# Digits enough for nanoseconds; an endless number is no time.
_MAX_DIGITS: Final = 20
# A date alone is no time: which of its seconds would be a guess.
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*", re.ASCII)

_FROM_ISO: Final = "read as a date and time: send Unix seconds as an integer"
_FROM_ISO_WITHOUT_ZONE: Final = "has no time zone, read as UTC: send Unix seconds as an integer"
_FROM_MILLISECONDS: Final = "read as milliseconds: send Unix seconds"
_FROM_FRACTION: Final = "taken without its fraction of a second: send an integer"


def event_time(value: object, *, coerce: bool, now: float) -> tuple[Any, str | None]:
    """Return the time in Unix seconds, and what to do about it where it had to be interpreted.

    Args:
        value: What the event says; None where it says nothing, and it is now.
        coerce: Whether milliseconds, fractions, ISO 8601 text and ``datetime`` are converted too.
        now: Unix seconds.

    Returns:
        An integer, or the value as it was where it is no time; and a warning without a path and without the value.
    """
    if value is None:
        return int(now), None
    value = value if type(value) is int else _whole(value)
    if not coerce or (type(value) is int and value < _MILLISECONDS_FROM):
        return value, None
    moment = _moment(value) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        seconds, warning = _seconds_of(moment)
        return (seconds, warning) if 0 <= seconds < _MILLISECONDS_FROM else (value, None)
    if not _is_finite(value) or not 0 <= value < _MILLISECONDS_FROM * _MS_PER_SECOND:
        return value, None
    if value < _MILLISECONDS_FROM:
        return int(value), _FROM_FRACTION
    return int(value) // _MS_PER_SECOND, _FROM_MILLISECONDS


def _whole(value: object) -> object:
    """Return the integer that digits in quotes or a whole float stand for, or the value as it is."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_finite(value: object) -> TypeGuard[float | Decimal]:
    if isinstance(value, Decimal):
        return value.is_finite()
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _moment(text: str) -> datetime | str:
    """Return the date and time that an ISO 8601 text says, or the text."""
    if not _ISO.fullmatch(text.strip()):
        return text
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return text


def _seconds_of(moment: datetime) -> tuple[int, str]:
    if moment.utcoffset() is None:  # Meta: event_time is in GMT, and so is what most databases store
        return int(moment.replace(tzinfo=UTC).timestamp()), _FROM_ISO_WITHOUT_ZONE
    return int(moment.timestamp()), _FROM_ISO
