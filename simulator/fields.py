"""Which keys an event may have and what their values look like (Meta: server-event, customer-information)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

_NUMERIC = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
# The tail is the appendix that Meta's parameter builder puts on its own hashes.
HASH = re.compile(r"[0-9A-Fa-f]{64}(?:\.[A-Za-z0-9_-]{2}(?:[A-Za-z0-9_-]{6})?)?")
CLICK_ID = re.compile(r"fb\.[0-9]+\.[0-9]{10,13}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]{2}(?:[A-Za-z0-9_-]{6})?)?")
LEAD_ID = re.compile(r"[0-9]{15,17}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: what the error says, and the test."""

    phrase: str
    fits: Callable[[object], bool]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Accept a number or a numeric string, as the documentation's own examples have both."""
    if isinstance(value, str):
        return _NUMERIC.fullmatch(value) is not None
    return _is_whole(value) or (isinstance(value, float) and isfinite(value))


def _is_list_of(*types: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(member, types) for member in value)


def _one_of(*names: str) -> Kind:
    return Kind(f"must be one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names)


TEXT = Kind("must be a string", lambda value: isinstance(value, str))
NAME = Kind("must be a non-empty string", lambda value: isinstance(value, str) and value != "")
WHOLE = Kind("must be an integer", _is_whole)
NUMBER = Kind("must be a number", _is_number)
# An empty value counts as a missing one: the Purchase rules have their own errors for it.
NUMBER_OR_EMPTY = Kind("must be a number", lambda value: value == "" or _is_number(value))
CURRENCY = Kind(
    "must be a three-letter currency code",
    lambda value: isinstance(value, str) and (value == "" or _CURRENCY.fullmatch(value) is not None),
)
FLAG = Kind("must be a boolean", lambda value: isinstance(value, bool))
SWITCH = Kind("must be 0 or 1", lambda value: isinstance(value, int) and value in (0, 1))
OBJECT = Kind("must be an object", lambda value: isinstance(value, dict))
TEXTS = Kind("must be an array of strings", _is_list_of(str))
IDS = Kind("must be an array of strings or integers", _is_list_of(str, int))
OBJECTS = Kind("must be an array", _is_list_of(dict))
# A documented sample of Meta's has a null in user_data, so it is taken there and nowhere else.
SCALAR = Kind("must be a string", lambda value: value is None or isinstance(value, (str, int)))
ACTION_SOURCE = _one_of(
    "email",
    "website",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
)
EXTINFO_VERSION = _one_of("a2", "i2")

EVENT_KEYS = {
    "event_name": NAME,
    "event_time": WHOLE,
    "user_data": OBJECT,
    "custom_data": OBJECT,
    "action_source": ACTION_SOURCE,
    "event_source_url": TEXT,
    "event_id": TEXT,
    "opt_out": FLAG,
    "data_processing_options": TEXTS,
    "data_processing_options_country": WHOLE,
    "data_processing_options_state": WHOLE,
    "app_data": OBJECT,
    "referrer_url": TEXT,
    "original_event_data": OBJECT,
    "customer_segmentation": TEXT,
    "messaging_channel": _one_of("messenger", "whatsapp", "instagram"),
    "attribution_data": OBJECT,
    "advanced_measurement_table": TEXT,
}
EXTINFO_LENGTH = 16
APP_KEYS = {
    "advertiser_tracking_enabled": SWITCH,
    "extinfo": Kind(
        f"must be an array of {EXTINFO_LENGTH} values",
        lambda value: isinstance(value, list) and len(value) == EXTINFO_LENGTH,
    ),
}
REQUIRED_KEYS = ("event_name", "event_time", "user_data", "action_source")

# Any other key of custom_data is a custom property and may hold anything.
CUSTOM_KEYS = {
    "value": NUMBER_OR_EMPTY,
    "currency": CURRENCY,
    "content_ids": IDS,
    "contents": OBJECTS,
    "num_items": NUMBER,
    "predicted_ltv": NUMBER,
    "net_revenue": NUMBER,
}

CONTENT_KEYS = {
    "id": Kind("must be a string or an integer", lambda value: isinstance(value, (str, int))),
    "quantity": NUMBER,
    "item_price": NUMBER,
    "delivery_category": TEXT,
    "title": TEXT,
    "description": TEXT,
    "brand": TEXT,
    "category": TEXT,
}
# The offline page alone names this one (Meta: offline-events).
STORE_CONTENT_KEYS = CONTENT_KEYS | {"price": NUMBER}

HASHED_KEYS = frozenset(("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country")) | {
    *("f5first", "f5last", "fi", "dobd", "dobm", "doby"),  # Meta's own SDKs send these, its pages do not name them
}
_WEB_KEYS = {"external_id", "client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id", "fb_login_id"}
_APP_KEYS = {"anon_id", "madid", "lead_id"}
_MESSENGER_KEYS = {"page_id", "page_scoped_user_id"}
_WHATSAPP_KEYS = {"ctwa_clid", "whatsapp_business_account_id"}
_INSTAGRAM_KEYS = {"ig_account_id", "instagram_business_account_id", "ig_sid"}
IDENTIFIERS = HASHED_KEYS | _WEB_KEYS | _APP_KEYS | _MESSENGER_KEYS | _WHATSAPP_KEYS | _INSTAGRAM_KEYS

# An event whose identifiers all lie within one of these sets is refused (Meta: best-practices).
WEAK_SETS = (
    frozenset(("ct", "country", "st", "zp", "ge", "client_user_agent")),
    frozenset(("db", "client_user_agent")),
    frozenset(("fn", "ge")),
    frozenset(("ln", "ge")),
)

_ORDER_EVENTS = {"OrderCreated", "OrderShipped", "OrderDelivered", "OrderCanceled", "OrderReturned"}
_SHOP_EVENTS = {"Purchase", "InitiateCheckout", "AddToCart", "ViewContent", "CartAbandoned"}
_TALK_EVENTS = {"LeadSubmitted", "QualifiedLead", "RatingProvided", "ReviewProvided"}
MESSAGING_EVENTS = _ORDER_EVENTS | _SHOP_EVENTS | _TALK_EVENTS
# What only a web page knows has no place in an event of a conversation (Meta: business-messaging).
NOT_IN_MESSAGING = frozenset(("client_ip_address", "client_user_agent", "fbc", "fbp"))
