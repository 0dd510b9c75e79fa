"""Fictitious events for the demo: a shop's good ones, and some that go wrong for a reason each."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

Event = dict[str, Any]

_NAMES = (("Ada", "Lovelace"), ("Grace", "Hopper"), ("Béla", "Nagy"), ("Chloé", "Martin"), ("Jürgen", "Müller"))
_PLACES = (("New York", "ny", "10001", "us"), ("Manchester", "", "M1 1AE", "gb"), ("München", "", "80331", "de"))
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_DAY_SECONDS = 86_400


def good(count: int, seed: int) -> Iterator[Event]:
    """Yield so many events that Meta takes, of the last minute, with raw personal data as a web app has it."""
    rng = random.Random(seed)
    for n in range(count):
        yield rng.choice(_KINDS)(n, int(time.time()) - rng.randrange(60))


def bad() -> list[Event]:
    """Return events that cannot be delivered: three break Meta's rules, one is too old, one is from the future.

    The last one passes our own validation, which allows for a minute between two clocks, and so only Meta refuses it.
    """
    now = int(time.time())
    no_currency = _purchase(1, now) | {"custom_data": {"value": 12.5}}
    milliseconds = _page_view(2, now) | {"event_time": now * 1000}
    unknown_key = _lead(3, now) | {"shop": "north"}
    too_old = _purchase(4, now - 8 * _DAY_SECONDS)
    future = _purchase(5, now + 55)
    events = (no_currency, milliseconds, unknown_key, too_old, future)
    return [event | {"event_id": f"bad-{place}"} for place, event in enumerate(events, start=1)]


BAD_REASONS = {"invalid": 3, "expired": 1, "rejected": 1}
"""How the events of ``bad`` leave."""


def _website_event(name: str, n: int, event_time: int) -> Event:
    first, last = _NAMES[n % len(_NAMES)]
    city, state, postal_code, country = _PLACES[n % len(_PLACES)]
    return {
        "event_name": name,
        "event_time": event_time,
        "event_id": f"{name.lower()}-{n}",
        "action_source": "website",
        "event_source_url": "https://shop.example.com/checkout",
        "user_data": {
            "em": f" Person.{n}@Example.com ",
            "ph": f"+1 202 555 01{n % 100:02d}",
            "fn": first,
            "ln": last,
            "ct": city,
            "st": state,
            "zp": postal_code,
            "country": country,
            "external_id": f"customer-{n}",
            "client_ip_address": f"203.0.113.{n % 254 + 1}",
            "client_user_agent": _AGENT,
        },
    }


def _page_view(n: int, event_time: int) -> Event:
    return _website_event("PageView", n, event_time)


def _add_to_cart(n: int, event_time: int) -> Event:
    bought = {"content_ids": [f"sku-{n % 97}"], "content_type": "product", "value": 5 + n % 50, "currency": "EUR"}
    return _website_event("AddToCart", n, event_time) | {"custom_data": bought}


def _purchase(n: int, event_time: int) -> Event:
    price = 5 + n % 500 + 0.99
    bought = {
        "value": price,
        "currency": "USD",
        "order_id": str(n),
        "contents": [{"id": f"sku-{n % 97}", "quantity": 1, "item_price": price}],
    }
    return _website_event("Purchase", n, event_time) | {"custom_data": bought}


def _lead(n: int, event_time: int) -> Event:
    return {
        "event_name": "Lead",
        "event_time": event_time,
        "event_id": f"lead-{n}",
        "action_source": "system_generated",
        "user_data": {"em": f"person.{n}@example.com", "lead_id": 10**15 + n},
        "custom_data": {"event_source": "crm", "lead_event_source": "Example CRM"},
    }


_KINDS: tuple[Callable[[int, int], Event], ...] = (_page_view, _add_to_cart, _purchase, _lead)
