"""Make an event ready to be sent: personal data hashed, id and time given, the dataset's defaults applied; pure but for
the new id.

The worker never changes an event, so what is decided here is what Meta gets.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from capi_relay.datasets import DatasetDefaults
from capi_relay.errors import InvalidEvent
from capi_relay.personal import protect
from capi_relay.times import event_time


def prepare(
    event: Mapping[str, Any],
    defaults: DatasetDefaults,
    *,
    now: float,
    coerce_times: bool = False,
    match_variants: bool = False,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the event as it will be sent, and the warnings about what was changed or left out.

    Args:
        event: In Meta's field names; it is not changed.
        defaults: What the dataset says; where it says nothing of the last two, they hold.
        now: Unix seconds, the time of an event that has none.
        coerce_times: Whether milliseconds and ISO 8601 times are converted.
        match_variants: Whether both readings of an ambiguous value are hashed.

    Raises:
        InvalidEvent: it is no mapping.
    """
    if not isinstance(event, Mapping):
        raise InvalidEvent(f"an event is a mapping of Meta's field names, not {type(event).__name__}")
    # A null says nothing and Meta's own libraries drop it; kept, it would refuse the event.
    given = {name: value for name, value in event.items() if value is not None}
    variants = match_variants if defaults.match_variants is None else defaults.match_variants
    ready, warnings = protect(given, defaults.default_country, match_variants=variants)
    event_id = ready.setdefault("event_id", uuid.uuid4().hex)
    if isinstance(event_id, int) and not isinstance(event_id, bool):  # an order number; Meta takes text only
        ready["event_id"] = str(event_id)
    coerce = coerce_times if defaults.coerce_times is None else defaults.coerce_times
    warnings += _with_times(ready, coerce=coerce, now=now)
    if defaults.data_processing_options is not None and "data_processing_options" not in ready:
        ready["data_processing_options"] = list(defaults.data_processing_options)
        for part in ("country", "state"):
            value = getattr(defaults, f"data_processing_options_{part}")
            if value is not None:
                ready[f"data_processing_options_{part}"] = value
    return ready, warnings


def _with_times(ready: dict[str, Any], *, coerce: bool, now: float) -> tuple[str, ...]:
    """Put the event's time in Unix seconds, and that of the earlier event it belongs to."""
    ready["event_time"], warning = event_time(ready.get("event_time"), coerce=coerce, now=now)
    warnings = (f"event_time: {warning}",) if warning else ()
    earlier = ready.get("original_event_data")
    if not isinstance(earlier, Mapping) or earlier.get("event_time") is None:
        return warnings
    moment, warning = event_time(earlier["event_time"], coerce=coerce, now=now)
    ready["original_event_data"] = {**earlier, "event_time": moment}
    return (*warnings, f"original_event_data.event_time: {warning}") if warning else warnings
