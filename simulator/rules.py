"""What Meta would refuse in a request's events, decided in the order Meta seems to decide it; pure.

One invalid event refuses the whole request and only the first error is told. Every phase runs over all events before
the next begins: shape, time, messaging channel, customer information, purchase. Only the shape phase names the event.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.errors import GraphError, broken_rule, unexpected_key, wrong_shape
from simulator.fields import (
    APP_KEYS,
    CLICK_ID,
    CONTENT_KEYS,
    CUSTOM_KEYS,
    EVENT_KEYS,
    EXTINFO_VERSION,
    HASH,
    HASHED_KEYS,
    IDENTIFIERS,
    LEAD_ID,
    MESSAGING_EVENTS,
    NOT_IN_MESSAGING,
    OBJECT,
    REQUIRED_KEYS,
    SCALAR,
    STORE_CONTENT_KEYS,
    WEAK_SETS,
    Kind,
)

Event = Mapping[str, Any]

MAX_EVENTS = 1000
MAX_AGE_SECONDS = 7 * 86_400
MAX_STORE_AGE_SECONDS = 62 * 86_400
_OS_VERSION = 4
_NOTHING: tuple[object, ...] = (None, "", [])


def first_error(events: object, now: float) -> GraphError | None:
    """Return why Meta would refuse a request with these events at that Unix time, or None."""
    if not isinstance(events, list):
        return wrong_shape("$['data']", "must be an array")
    if not 1 <= len(events) <= MAX_EVENTS:
        return wrong_shape("$['data']", f"must have 1 to {MAX_EVENTS} items")
    return next(_errors(events, now), None)


def _errors(events: Sequence[Any], now: float) -> Iterator[GraphError]:
    """Yield the errors of all phases; each phase relies on the ones before it having found nothing."""
    yield from filter(None, (_shape_error(event, index) for index, event in enumerate(events)))
    yield from filter(None, (_time_error(event, now) for event in events))
    for phase in (_channel_error, _customer_error, _purchase_error):
        yield from filter(None, map(phase, events))


def _path(*steps: str | int) -> str:
    """Return where something stands, as Meta writes it: ``$['data'][3]['user_data']``."""
    return "$['data']" + "".join(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in steps)


def _shape_error(event: object, index: int) -> GraphError | None:
    if not isinstance(event, dict):
        return wrong_shape(_path(index), OBJECT.phrase)
    for key in REQUIRED_KEYS:
        if key not in event and not (key == "action_source" and _is_later_value(event)):
            return wrong_shape(_path(index, key), "is required")
    return (
        _keys_error(event, EVENT_KEYS, index)
        or _user_data_shape_error(event["user_data"], index)
        or _custom_data_shape_error(event, index)
        or (_app_data_error(event, index) if event.get("action_source") == "app" else None)
    )


def _is_later_value(event: Event) -> bool:
    """Tell whether this adds value to an earlier event; connectors send those without an action_source."""
    return event.get("event_name") == "AppendValue" and "original_event_data" in event


def _keys_error(item: Event, kinds: Mapping[str, Kind], *steps: str | int) -> GraphError | None:
    for key, value in item.items():
        kind = kinds.get(key)
        if kind is None:
            return unexpected_key(key, _path(*steps))
        if not kind.fits(value):
            return wrong_shape(_path(*steps, key), kind.phrase)
    return None


def _user_data_shape_error(user_data: Event, index: int) -> GraphError | None:
    """Refuse what is no text; keys that Meta does not know are tolerated here, and match nobody.

    The keys that must be hashed are left out: whatever is no hash has an error of its own.
    """
    for key, value in user_data.items():
        if isinstance(value, str) or key in HASHED_KEYS or key not in IDENTIFIERS:
            continue
        members = value if key == "external_id" and isinstance(value, list) else (value,)
        if not all(map(SCALAR.fits, members)):
            return wrong_shape(_path(index, "user_data", key), SCALAR.phrase)
    return None


def _custom_data_shape_error(event: Event, index: int) -> GraphError | None:
    custom_data = event.get("custom_data", {})
    for key, value in custom_data.items():
        kind = CUSTOM_KEYS.get(key)
        if kind is not None and not kind.fits(value):
            return wrong_shape(_path(index, "custom_data", key), kind.phrase)
    kinds = STORE_CONTENT_KEYS if event.get("action_source") == "physical_store" else CONTENT_KEYS
    for position, content in enumerate(custom_data.get("contents", ())):
        if error := _keys_error(content, kinds, index, "custom_data", "contents", position):
            return error
    return None


def _app_data_error(event: Event, index: int) -> GraphError | None:
    """Refuse an app event without the device facts Meta demands (Meta: app-events)."""
    if "app_data" not in event:
        return wrong_shape(_path(index, "app_data"), "is required")
    app_data = event["app_data"]
    for key, kind in APP_KEYS.items():
        if key not in app_data:
            return wrong_shape(_path(index, "app_data", key), "is required")
        if not kind.fits(app_data[key]):
            return wrong_shape(_path(index, "app_data", key), kind.phrase)
    if not EXTINFO_VERSION.fits(app_data["extinfo"][0]):
        return wrong_shape(_path(index, "app_data", "extinfo", 0), EXTINFO_VERSION.phrase)
    os_version = app_data["extinfo"][_OS_VERSION]
    return None if str(os_version or "").strip() else broken_rule(2804043)


def _time_error(event: Event, now: float) -> GraphError | None:
    """Judge event_time, in seconds; Meta documents no tolerance for the future: here is none (Meta: server-event)."""
    age_seconds = int(now) - event["event_time"]
    if age_seconds < 0:
        return broken_rule(2804004)
    in_store = event.get("action_source") == "physical_store"
    limit_seconds = MAX_STORE_AGE_SECONDS if in_store else MAX_AGE_SECONDS
    return broken_rule(2804003) if age_seconds > limit_seconds else None


def _channel_error(event: Event) -> GraphError | None:
    """Judge what only business_messaging demands and forbids (Meta: business-messaging)."""
    if event.get("action_source") != "business_messaging":
        return None
    if "messaging_channel" not in event:
        return broken_rule(2804063)
    if event["event_name"] not in MESSAGING_EVENTS:
        return broken_rule(2804066)
    given = _given(event["user_data"])
    if given & NOT_IN_MESSAGING or event.get("event_source_url"):
        return broken_rule(2804064)
    missing = _missing_in_channel(event["messaging_channel"], given)
    return broken_rule(missing) if missing else None


def _missing_in_channel(channel: str, given: set[str]) -> int | None:
    """Return the subcode for the identifier that the channel needs and the event lacks."""
    if channel == "messenger":
        person, no_account = "page_scoped_user_id", None if "page_id" in given else 2804069
    elif channel == "whatsapp":
        person = "ctwa_clid"
        no_account = None if given & {"page_id", "whatsapp_business_account_id"} else 2804116
    else:
        person, no_account = "ig_sid", None if "ig_account_id" in given else 2804079
    return no_account or (None if person in given else 2804071)


def _customer_error(event: Event) -> GraphError | None:
    """Judge the identifiers: hashed where they must be, well-formed, and enough to match somebody."""
    user_data = event["user_data"]
    for key, value in user_data.items():
        if key in HASHED_KEYS:
            for member in value if isinstance(value, list) else (value,):
                if not (isinstance(member, str) and HASH.fullmatch(member)) and member not in _NOTHING:
                    return broken_rule(2804016, f"The {key} parameter is not hashed with SHA-256.")
    if (click_id := user_data.get("fbc")) and not CLICK_ID.fullmatch(str(click_id)):
        return broken_rule(2804001)
    if (lead_id := user_data.get("lead_id")) and not LEAD_ID.fullmatch(str(lead_id)):
        return broken_rule(2804036)
    given = _given(user_data)
    return broken_rule(2804050) if any(given <= weak for weak in WEAK_SETS) else None


def _given(user_data: Event) -> set[str]:
    """Return the identifiers that hold something; an empty member of a list holds nothing."""
    return {
        key
        for key, value in user_data.items()
        if key in IDENTIFIERS and value not in _NOTHING and (not isinstance(value, list) or any(value))
    }


def _purchase_error(event: Event) -> GraphError | None:
    """Judge money and goods; a Purchase that lacks both is told of the currency first, as Meta does."""
    custom_data = event.get("custom_data", {})
    has_value = custom_data.get("value", "") != ""
    if not custom_data.get("currency"):
        if event["event_name"] == "Purchase":
            return broken_rule(2804010)
        if has_value:
            return broken_rule(2804023)
    if event["event_name"] == "Purchase" and not has_value:
        return broken_rule(2804009)
    for content in custom_data.get("contents", ()):
        if content.get("id", "") == "":  # any other falsy id, such as 0, is one
            return broken_rule(2804008)
    return None
