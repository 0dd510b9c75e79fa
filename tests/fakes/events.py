"""Events for all test suites: real-looking, fictitious, and built by plain functions.

`purchase` and its like are hashed, and so ready to be sent; `raw_purchase` and `mixed` carry raw personal data as a web
app has it. The people live at example.com, telephone in ranges kept for fiction and surf from documentation addresses.
"""

import hashlib
import random
import time
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]

FIRST_NAMES = ("Ada", "Béla", "Chloé", "Dmitri", "Elif", "Fatou", "Grace", "Hiroshi", "Inés", "Jürgen", "Kofi", "Lucía")
LAST_NAMES = (
    "Lovelace",
    "O'Brien",
    "Nguyen",
    "García",
    "Müller-Lüdenscheidt",
    "Okafor",
    "Smith",
    "Sato",
    "Łukasiewicz",
)
PLACES = (  # city, state, postal code, country
    ("New York", "NY", "10001", "US"),
    ("San Francisco", "CA", "94103-1234", "US"),
    ("Manchester", "", "M1 1AE", "GB"),
    ("München", "Bayern", "80331", "DE"),
    ("São Paulo", "SP", "01310-100", "BR"),
)
USER_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
FBC = "fb.1.1700000000123.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"
FBP = "fb.1.1700000000123.1116446470"
_SCREEN_AND_STORAGE = (390, 844, "3", 6, 256, 128)
EXTINFO = (
    *("i2", "com.example.shop", "1.0", "1.0.3 (42)", "17.5", "iPhone15,2", "en_US", "PST", "Example Mobile"),
    *_SCREEN_AND_STORAGE,
    "America/New_York",
)


def digest(text: str) -> str:
    """Return what Meta calls hashed, of a text that is normalised already."""
    return hashlib.sha256(text.encode()).hexdigest()


def hashed_user_data() -> Event:
    return {
        "em": [digest("ada@example.com")],
        "ph": [digest("12025550123")],
        "fn": [digest("ada")],
        "ln": [digest("lovelace")],
        "ct": [digest("newyork")],
        "st": [digest("ny")],
        "zp": [digest("10001")],
        "country": [digest("us")],
        "external_id": [digest("customer-1001")],
        "client_ip_address": "203.0.113.7",
        "client_user_agent": USER_AGENT,
        "fbc": FBC,
        "fbp": FBP,
    }


def _website_event(event_name: str, event_id: str, event_time: int | None, overrides: Event) -> Event:
    return {
        "event_name": event_name,
        "event_time": int(time.time()) if event_time is None else event_time,
        "event_id": event_id,
        "action_source": "website",
        "event_source_url": "https://shop.example.com/checkout/thank-you?step=4",
        "user_data": hashed_user_data(),
        **overrides,
    }


def purchase(event_id: str = "order-1001", event_time: int | None = None, **overrides: Any) -> Event:  # noqa: ANN401 - JSON
    """Return a hashed Purchase of about 1.4 KB, of now by default; `overrides` replace whole top-level keys."""
    custom_data = {
        "value": 123.45,
        "currency": "USD",
        "order_id": "1001",
        "content_type": "product",
        "num_items": 3,
        "contents": [
            {"id": "sku-1", "quantity": 2, "item_price": 39.95},
            {"id": "sku-2", "quantity": 1, "item_price": 43.55},
        ],
    }
    return _website_event("Purchase", event_id, event_time, {"custom_data": custom_data, **overrides})


def page_view(event_id: str = "page-1001", event_time: int | None = None, **overrides: Any) -> Event:  # noqa: ANN401 - JSON
    """Return a hashed PageView: no custom_data."""
    return _website_event("PageView", event_id, event_time, overrides)


def lead(event_id: str = "lead-1001", event_time: int | None = None, **overrides: Any) -> Event:  # noqa: ANN401 - JSON
    """Return a stage of a lead as a CRM reports it."""
    event = {
        "event_name": "Lead",
        "event_time": int(time.time()) if event_time is None else event_time,
        "event_id": event_id,
        "action_source": "system_generated",
        "user_data": {"em": [digest("ada@example.com")], "lead_id": 1234567890123456},
        "custom_data": {"event_source": "crm", "lead_event_source": "Example CRM"},
    }
    return {**event, **overrides}


def raw_user_data(n: int) -> Event:
    """Return the personal data of the n-th of our people, as a shop has it: not normalised, not hashed."""
    first, last = FIRST_NAMES[n % len(FIRST_NAMES)], LAST_NAMES[n % len(LAST_NAMES)]
    city, state, postal_code, country = PLACES[n % len(PLACES)]
    user_data = {
        "em": f" Person.{n}@Example.com ",
        "ph": f"+1 (202) 555-01{n % 100:02d}",
        "fn": first,
        "ln": last,
        "ct": city,
        "st": state,
        "zp": postal_code,
        "country": country,
        "external_id": f"customer-{n}",
        "client_ip_address": f"203.0.113.{n % 254 + 1}" if n % 3 else f"2001:db8::{n % 65_536:x}",
        "client_user_agent": USER_AGENT,
        "fbc": FBC,
        "fbp": f"fb.1.1700000000123.{1_000_000_000 + n}",
    }
    return {key: value for key, value in user_data.items() if value}


def raw_purchase(n: int, event_time: int | None = None) -> Event:
    """Return the n-th Purchase with raw personal data; another n is another person, order and amount."""
    event = purchase(f"order-{n}", event_time, user_data=raw_user_data(n))
    price = 5 + n % 500 + 0.99
    event["custom_data"] = {
        "value": price if n % 4 else f"{price:.2f}",
        "currency": ("USD", "EUR", "gbp", "BRL")[n % 4],
        "order_id": f"{n}",
        "content_type": "product",
        "contents": [{"id": f"sku-{n % 97}", "quantity": 1, "item_price": price}],
    }
    return event


def _raw_page_view(n: int, event_time: int) -> Event:
    return page_view(f"page-{n}", event_time, user_data=raw_user_data(n))


def _raw_add_to_cart(n: int, event_time: int) -> Event:
    custom_data = {"content_ids": [f"sku-{n % 97}", n % 97], "content_type": "product", "value": 0, "currency": "EUR"}
    return _website_event(
        "AddToCart",
        f"cart-{n}",
        event_time,
        {"user_data": raw_user_data(n), "custom_data": custom_data, "opt_out": True},
    )


def _raw_lead(n: int, event_time: int) -> Event:
    return lead(f"lead-{n}", event_time, user_data={"em": f"person.{n}@example.com", "lead_id": 10**15 + n})


def _raw_store_purchase(n: int, event_time: int) -> Event:
    event = raw_purchase(n, event_time) | {"event_id": f"till-{n}", "action_source": "physical_store"}
    del event["event_source_url"]
    return event


def _raw_app_event(n: int, event_time: int) -> Event:
    return {
        "event_name": "ActivateApp",
        "event_time": event_time,
        "event_id": f"app-{n}",
        "action_source": "app",
        "user_data": {"em": f"person.{n}@example.com", "madid": f"38400000-8cf0-11bd-b23e-{n:012d}"},
        "app_data": {"advertiser_tracking_enabled": 1, "application_tracking_enabled": True, "extinfo": list(EXTINFO)},
    }


def _raw_custom_event(n: int, event_time: int) -> Event:
    custom_data = {"seats": 2, "row": "K", "members": ["a", "b"], "gift": False, "venue": {"hall": "North"}}
    return {
        "event_name": "TicketScanned",
        "event_time": event_time,
        "event_id": f"scan-{n}",
        "action_source": "other",
        "user_data": {"external_id": [f"customer-{n}", f"member-{n}"], "ph": f"+44 20 7946 0{n % 1000:03d}"},
        "custom_data": custom_data,
        "data_processing_options": ["LDU"],
        "data_processing_options_country": 1,
        "data_processing_options_state": 1000,
    }


def _raw_message_purchase(n: int, event_time: int) -> Event:
    return {
        "event_name": "Purchase",
        "event_time": event_time,
        "event_id": f"chat-{n}",
        "action_source": "business_messaging",
        "messaging_channel": "whatsapp",
        "user_data": {"whatsapp_business_account_id": f"{10**14 + n}", "ctwa_clid": f"ARAkLkA8rmlFeiCktEJQ-{n}"},
        "custom_data": {"value": 19.99, "currency": "EUR"},
    }


_KINDS: tuple[Callable[[int, int], Event], ...] = (
    raw_purchase,
    _raw_page_view,
    _raw_add_to_cart,
    _raw_lead,
    _raw_store_purchase,
    _raw_app_event,
    _raw_custom_event,
    _raw_message_purchase,
)


def mixed(count: int, seed: int, now: int | None = None) -> list[Event]:
    """Return a varied mix of raw events, all valid once hashed, up to a minute old; the same for the same arguments.

    Each has an event_id of its own within one call. Without `now` only the times differ from run to run.
    """
    rng = random.Random(seed)
    moment = int(time.time()) if now is None else now
    first = rng.randrange(1_000_000)
    return [rng.choice(_KINDS)(first + index, moment - rng.randrange(60)) for index in range(count)]


def _without(event: Event, *keys: str) -> Event:
    return {key: value for key, value in event.items() if key not in keys}


def bad_events(event_time: int | None = None) -> dict[str, Event]:
    """Return events that the producer takes and Meta refuses, each for one reason, by the reason's name.

    All are hashed already. The producer leaves a malformed click id out; what remains of that event is too weak then.
    """
    good = purchase(event_time=event_time)
    bought = good["custom_data"]
    weak = {"client_user_agent": USER_AGENT, "country": digest("us")}
    bad = {
        "missing_event_name": _without(good, "event_name"),
        "missing_action_source": _without(good, "action_source"),
        "unknown_action_source": good | {"action_source": "web"},
        "unknown_key": good | {"shop_id": "north"},
        "time_in_milliseconds": good | {"event_time": good["event_time"] * 1000},
        "purchase_without_currency": good | {"custom_data": _without(bought, "currency")},
        "purchase_without_value": good | {"custom_data": _without(bought, "value")},
        "contents_without_id": good | {"custom_data": bought | {"contents": [{"quantity": 1}]}},
        "contents_as_text": good | {"custom_data": bought | {"contents": '[{"id": "sku-1"}]'}},
        "unknown_key_in_contents": good | {"custom_data": bought | {"contents": [{"id": "sku-1", "name": "Cup"}]}},
        "weak_identifiers": good | {"user_data": weak},
        "malformed_fbc": good | {"user_data": weak | {"fbc": "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYX"}},
        "app_without_app_data": _without(good, "event_source_url") | {"action_source": "app"},
    }
    return {name: event | {"event_id": f"bad-{name}"} for name, event in bad.items()}
