from decimal import Decimal
from typing import Any

import pytest

from capi_relay.datasets import DatasetDefaults
from capi_relay.personal import protect
from capi_relay.prepare import prepare

DEFAULTS = DatasetDefaults("1")
CANARY = "canary"
EVENT = {"event_name": "Lead", "action_source": "chat", "user_data": {"external_id": "7"}}


def prepared(**changes: Any) -> Any:  # noqa: ANN401 - whatever an app puts into an event
    return prepare(EVENT | changes, DEFAULTS, now=1_700_000_000, coerce_times=False, match_variants=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"custom_data": {"customer": {"phone": CANARY, "first_name": CANARY}}},
        {"custom_data": {"store_data": {"email": CANARY}}},
        {"custom_data": {"contents": [{"id": "1", "last_name": CANARY}]}},
        {"custom_data": [{"email": CANARY}]},
        {"app_data": {"extinfo": {"phone": CANARY}}},
        {"original_event_data": {"firstName": CANARY}},
        {"userData": {"first_name": CANARY}},
        {"event_source_url": f"https://shop.example/stop/{CANARY}%40shop.example/x"},
        {"custom_data": {"note": f"{CANARY}%2540shop.example"}},
        {"user_data": {"external_id": "7", "anon_id": f"{CANARY}@shop.example"}},
    ],
)
def test_personal_data_hidden_deeper_or_escaped_is_left_out_with_a_warning(changes: dict[str, Any]) -> None:
    made = prepared(**changes)

    assert CANARY not in made.encoded.decode()
    assert made.warnings
    assert CANARY not in "".join(made.warnings)


def test_an_ordinary_purchase_is_not_touched() -> None:
    custom_data = {
        "value": 1.5,
        "currency": "EUR",
        "contents": [{"id": "1", "quantity": 2}],
        "city": "Rome",
        "rate": "40%",
    }

    assert prepared(custom_data=custom_data).event["custom_data"] == custom_data


def test_a_whole_decimal_of_a_database_means_the_number() -> None:
    as_decimal, _ = protect({"user_data": {"external_id": Decimal("42.00"), "ph": Decimal("4930123456.00")}})
    as_text, _ = protect({"user_data": {"external_id": "42", "ph": "4930123456"}})

    assert as_decimal == as_text


def test_an_order_number_that_is_a_decimal_becomes_text() -> None:
    assert prepared(event_id=Decimal("1E+3")).event["event_id"] == "1000"
