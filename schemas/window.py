"""The age Meta takes: a pure function, because a schema has no clock.

An event ages while it waits, so it is asked again directly before it is sent.
"""

from typing import Final, Literal

_DAY_SECONDS: Final = 86_400
# One event that is older sinks its whole batch with 2804003 (Meta: server-event; 62 days: offline-events).
MAX_AGE_SECONDS: Final = 7 * _DAY_SECONDS
PHYSICAL_STORE_MAX_AGE_SECONDS: Final = 62 * _DAY_SECONDS
# Meta counts when the request arrives, by its own clock.
SEND_MARGIN_SECONDS: Final = 300
# UNVERIFIED: how far ahead of Meta's clock an event may be (2804004).
FUTURE_TOLERANCE_SECONDS: Final = 60

Window = Literal["ok", "too_old", "future"]


def event_window(event_time: int, action_source: str | None, now: float) -> Window:
    """Say whether Meta takes an event of this time now (both in Unix seconds)."""
    age_seconds = now - event_time
    limit_seconds = PHYSICAL_STORE_MAX_AGE_SECONDS if action_source == "physical_store" else MAX_AGE_SECONDS
    if age_seconds > limit_seconds - SEND_MARGIN_SECONDS:
        return "too_old"
    return "future" if age_seconds < -FUTURE_TOLERANCE_SECONDS else "ok"
