"""Damaged events: valid ones with one to three places changed, as generators and bad producers change them."""

import random
from collections.abc import Callable, Iterator
from typing import Any

from capi_relay.personal import protect
from tests.fakes.events import bad_events, lead, mixed, page_view, purchase

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 16, 10**10, 10**11, 10**18, 2**63, 2**64, 10**30, 0.0, 0.5, -0.5, 1.0, 1e300),
    *("", " ", "0", "-0", "1.5", ".5", "5.", "1e3", "+5", "-5", "9" * 400, "٣", "a", "f" * 64, "F" * 64, "f" * 63),
    *("f" * 64 + ".AQ", "f" * 64 + ".AQICAQMC", "f" * 64 + "\n", "f" * 64 + ".A", "LDU", "usd", "USD", "USD\n", "EU"),
    *("website", "app", "business_messaging", "physical_store", "Purchase", "AppendValue", "whatsapp", "messenger"),
    *(
        "https://x.example",
        "http://",
        "HTTPS://x",
        "ftp://x",
        "fb.1.1700000000000.abc",
        "fb.1.170.abc",
        "123456789012345",
    ),
    *(123456789012345, 12345678901234567, 123456789012345678, [], {}, [None], [""], ["f" * 64], [["f" * 64]], [{}]),
    *(
        [1],
        ["a", 1],
        {"id": 1},
        [{"id": "a"}],
        [{"id": "a", "price": 1}],
        [{"id": ""}],
        [{"quantity": 1}],
        ["LDU", "LDU"],
    ),
    *(["a2", "", "", "", "1", *[""] * 11], ["a2", "", "", "", " ", *[""] * 11], {"event_name": "x"}, {"a": None}),
)
KEYS = (
    *(
        "event_name",
        "event_time",
        "action_source",
        "event_id",
        "event_source_url",
        "opt_out",
        "custom_data",
        "user_data",
    ),
    *(
        "app_data",
        "value",
        "currency",
        "contents",
        "content_ids",
        "id",
        "price",
        "quantity",
        "em",
        "ge",
        "fbc",
        "lead_id",
    ),
    *(
        "data_processing_options",
        "data_processing_options_state",
        "data_processing_options_country",
        "messaging_channel",
    ),
    *(
        "original_event_data",
        "customer_segmentation",
        "store_data",
        "store_code",
        "extinfo",
        "unknown",
        "get",
        "__class__",
    ),
    *("advertiser_tracking_enabled", "delivery_category", "num_items", "status", "client_ip_address", "predicted_ltv"),
)


def valid_events(seed: int) -> list[dict[str, Any]]:
    """Return valid events of all families, as the producer makes them, and some that are not."""
    made = [protect(event)[0] for event in mixed(60, seed)]
    return [*made, purchase(event_id="p"), page_view(event_id="v"), lead(event_id="l"), *bad_events().values()]


def mutants(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield damaged events, the same ones for the same seed."""
    dice = random.Random(seed)
    events = valid_events(seed)
    for _ in range(count):
        event = _copy(dice.choice(events))
        for _ in range(dice.randint(1, 3)):
            _damage(event, dice)
        yield event


def _damage(event: dict[str, Any], dice: random.Random) -> None:
    containers = list(_containers(event))
    where = dice.choice(containers)
    changes: list[Callable[[], Any]] = []
    if isinstance(where, list):
        place = dice.randrange(len(where)) if where else 0
        changes = [lambda: where.insert(place, _copy(dice.choice(ODD))), lambda: where and where.pop(place)]
        if where:
            changes.append(lambda: where.__setitem__(place, _copy(dice.choice(ODD))))
    else:
        keys = list(where)
        changes = [lambda: where.__setitem__(dice.choice(KEYS), _copy(dice.choice(ODD)))]
        if keys:
            key = dice.choice(keys)
            changes += [lambda: where.pop(key), lambda: where.__setitem__(key, _copy(dice.choice(ODD)))]
    dice.choice(changes)()


def _containers(value: object) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def _copy(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
