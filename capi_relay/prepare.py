"""Make an event ready to be sent: personal data hashed, id and time given, the dataset's defaults applied, encoded.

Pure, but for the id of an event that has none. The worker changes nothing: what is decided here is what Meta gets.
"""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from capi_relay.addresses import may_need_it, without_addresses
from capi_relay.datasets import DatasetDefaults
from capi_relay.errors import InvalidEvent
from capi_relay.personal import protect
from capi_relay.times import event_time
from capi_relay.wire import encode, encode_with_objects

_ID_SPACE = uuid.UUID("8f0c1c7e-53a4-4f0b-9a53-0d8b6f5b7c11")
_MAX_ID_BITS = 256
_MAX_ID_DIGITS = 70


class Prepared(NamedTuple):
    """An event as it will be sent, and its bytes."""

    event: Mapping[str, Any]
    encoded: bytes
    warnings: tuple[str, ...]
    """What was left out or changed, by field; never a value."""


def prepare(
    event: Mapping[str, Any],
    defaults: DatasetDefaults,
    *,
    now: float,
    coerce_times: bool = False,
    match_variants: bool = False,
) -> Prepared:
    """Return the event as it will be sent.

    Args:
        event: In Meta's field names; it is not changed.
        defaults: What the dataset says; where it says nothing of the last two arguments, they hold.
        now: Unix seconds, the time of an event that has none.
        coerce_times: Whether milliseconds and ISO 8601 times are converted.
        match_variants: Whether both readings of an ambiguous value are hashed.

    Raises:
        InvalidEvent: it is no mapping, or JSON cannot carry it, or it is too large or too deep.
    """
    if not isinstance(event, (dict, Mapping)):
        raise InvalidEvent(f"an event is a mapping of Meta's field names, not {type(event).__name__}")
    # A null says nothing and Meta's own libraries drop it; kept, it would refuse the event.
    given = {name: value for name, value in event.items() if value is not None}
    variants = match_variants if defaults.match_variants is None else defaults.match_variants
    ready, warnings = protect(given, defaults.default_country, match_variants=variants)
    if "event_id" not in ready:
        ready["event_id"] = uuid.uuid4().hex
    elif not isinstance(ready["event_id"], str):
        ready["event_id"] = _id_of_number(ready["event_id"])
    coerce = coerce_times if defaults.coerce_times is None else defaults.coerce_times
    warnings += _with_times(ready, coerce=coerce, now=now)
    _with_options(ready, defaults)
    encoded, objects = encode_with_objects(ready)  # before all that takes the values for what they should be
    person = ready.get("user_data")
    if may_need_it(encoded, [each for each in objects if each is not person]):
        event_id = ready["event_id"]
        ready, removed = without_addresses(ready)
        if removed:
            if ready["event_id"] != event_id:  # still one of its own: with equal ids, one event would be sent of many
                ready["event_id"] = uuid.uuid5(_ID_SPACE, str(event_id)).hex
            encoded, warnings = encode(ready), (*warnings, *removed)
    return Prepared(ready, encoded, warnings)


def _id_of_number(event_id: object) -> object:
    """Return an order number as the text that Meta takes. What is longer than any number of theirs stays unread."""
    if isinstance(event_id, Decimal) and event_id.is_finite() and event_id.adjusted() < _MAX_ID_DIGITS:
        event_id = int(event_id) if event_id == event_id.to_integral_value() else event_id
    if isinstance(event_id, int) and not isinstance(event_id, bool) and event_id.bit_length() <= _MAX_ID_BITS:
        return str(event_id)
    return event_id


def _with_times(ready: dict[str, Any], *, coerce: bool, now: float) -> tuple[str, ...]:
    """Put the event's time in Unix seconds, and that of the earlier event it belongs to."""
    ready["event_time"], warning = event_time(ready.get("event_time"), coerce=coerce, now=now)
    warnings = (f"event_time: {warning}",) if warning else ()
    if "original_event_data" not in ready:
        return warnings
    earlier = ready["original_event_data"]
    if not isinstance(earlier, Mapping) or earlier.get("event_time") is None:
        return warnings
    moment, warning = event_time(earlier["event_time"], coerce=coerce, now=now)
    ready["original_event_data"] = {**earlier, "event_time": moment}
    return (*warnings, f"original_event_data.event_time: {warning}") if warning else warnings


def _with_options(ready: dict[str, Any], defaults: DatasetDefaults) -> None:
    """Put the dataset's Limited Data Use into an event that says nothing of it (Meta: data-processing-options)."""
    if defaults.data_processing_options is None or "data_processing_options" in ready:
        return
    ready["data_processing_options"] = list(defaults.data_processing_options)
    for part in ("country", "state"):
        value = getattr(defaults, f"data_processing_options_{part}")
        if value is not None:
            ready[f"data_processing_options_{part}"] = value
