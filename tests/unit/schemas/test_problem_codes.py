"""Every code has an event that provokes it, and every error of Meta's that we can foresee is foreseen."""

from typing import Any

import pytest

from schemas import problems_of
from schemas.codes import MESSAGES
from tests.fakes.events import EXTINFO, USER_AGENT, purchase

SOLD = {"value": 1, "currency": "EUR"}
MESSAGE: dict[str, Any] = {
    "event_name": "LeadSubmitted",
    "event_time": 1_700_000_000,
    "action_source": "business_messaging",
    "messaging_channel": "instagram",
    "user_data": {"ig_account_id": "1", "ig_sid": "2"},
}
IP = {"client_ip_address": "203.0.113.7"}


def without(event: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in keys}


def app(extinfo: object = EXTINFO, tracking: object = 1) -> dict[str, Any]:
    app_data = {"advertiser_tracking_enabled": tracking, "extinfo": list(extinfo) if extinfo is EXTINFO else extinfo}
    return purchase(action_source="app", app_data=app_data)


def extinfo(index: int, value: object) -> list[object]:
    return [*EXTINFO[:index], value, *EXTINFO[index + 1 :]]


def sold(**custom_data: object) -> dict[str, Any]:
    return purchase(custom_data={**SOLD, **custom_data})


LDU: dict[str, Any] = {"data_processing_options": ["LDU"]}
EXAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": (without(purchase(), "event_name"), "event_name"),
    "null": (purchase(opt_out=None), "opt_out"),
    "unknown_key": (purchase(shop="north"), "shop"),
    "not_object": (purchase(user_data=[]), "user_data"),
    "not_list": (app(extinfo="i2"), "app_data.extinfo"),
    "not_string": (purchase(referrer_url=1), "referrer_url"),
    "not_unix_seconds": (purchase() | {"event_time": "2023-11-14T22:13:20Z"}, "event_time"),
    "not_integer": (sold(num_items=1.0), "custom_data.num_items"),
    "not_number": (sold(value="many"), "custom_data.value"),
    "not_boolean": (purchase(opt_out=1), "opt_out"),
    "not_flag": (app(tracking=2), "app_data.advertiser_tracking_enabled"),
    "not_id": (sold(order_id=1.5), "custom_data.order_id"),
    "not_scalar": (sold(status=[]), "custom_data.status"),
    "not_property": (sold(colour=None), "custom_data.colour"),
    "empty": (purchase(event_name=""), "event_name"),
    "too_long": (purchase(event_name="x" * 51), "event_name"),
    "negative": (sold(value=-1), "custom_data.value"),
    "event_time_in_milliseconds": (purchase(event_time=1_700_000_000_000), "event_time"),
    "bad_action_source": (purchase(action_source="web"), "action_source"),
    "website_without_url": (without(purchase(), "event_source_url"), "event_source_url"),
    "not_url": (purchase(event_source_url="/thanks"), "event_source_url"),
    "bad_customer_segmentation": (purchase(customer_segmentation="vip"), "customer_segmentation"),
    "bad_ldu_option": (purchase(data_processing_options=["ldu"]), "data_processing_options[0]"),
    "bad_ldu_country": (purchase(data_processing_options_country=2), "data_processing_options_country"),
    "bad_ldu_state": (purchase(data_processing_options_state=1014), "data_processing_options_state"),
    "ldu_without_country": (purchase(**LDU), "data_processing_options_country"),
    "ldu_without_state": (
        purchase(**LDU, data_processing_options_country=0, user_data={"external_id": "1"}),
        "data_processing_options_state",
    ),
    "not_hashed": (purchase(user_data=IP | {"ct": "newyork"}), "user_data.ct"),
    "not_external_id": (purchase(user_data=IP | {"external_id": []}), "user_data.external_id"),
    "malformed_fbc": (purchase(user_data=IP | {"fbc": "IwAR2F4"}), "user_data.fbc"),
    "bad_lead_id": (purchase(user_data=IP | {"lead_id": 12}), "user_data.lead_id"),
    "weak_identifiers": (purchase(user_data={"client_user_agent": USER_AGENT}), "user_data"),
    "purchase_without_value": (purchase(custom_data=without(SOLD, "value")), "custom_data.value"),
    "purchase_without_currency": (purchase(custom_data=without(SOLD, "currency")), "custom_data.currency"),
    "value_without_currency": (purchase(event_name="Lead", custom_data={"value": 1}), "custom_data.currency"),
    "bad_currency": (sold(currency="EURO"), "custom_data.currency"),
    "bad_delivery_category": (sold(delivery_category="drone"), "custom_data.delivery_category"),
    "bad_store_code": (sold(store_data={"store_code": "N 1"}), "custom_data.store_data.store_code"),
    "app_without_app_data": (purchase(action_source="app"), "app_data"),
    "extinfo_length": (app(extinfo=["i2"]), "app_data.extinfo"),
    "bad_extinfo_version": (app(extinfo=extinfo(0, "w2")), "app_data.extinfo[0]"),
    "extinfo_without_os_version": (app(extinfo=extinfo(4, " ")), "app_data.extinfo[4]"),
    "bad_extinfo_member": (app(extinfo=extinfo(9, [])), "app_data.extinfo[9]"),
    "bad_messaging_channel": (purchase(messaging_channel="sms"), "messaging_channel"),
    "business_messaging_without_channel": (without(MESSAGE, "messaging_channel"), "messaging_channel"),
    "missing_for_channel": (MESSAGE | {"user_data": {"ig_sid": "2"}}, "user_data.ig_account_id"),
    "not_for_business_messaging": (
        MESSAGE | {"user_data": {**MESSAGE["user_data"], "fbp": "fb.1.1700000000123.1"}},
        "user_data.fbp",
    ),
    "bad_messaging_event_name": (MESSAGE | {"event_name": "Lead"}, "event_name"),
}

# Meta's error_subcode -> our code. 2804003 is a matter of the clock: see test_window.
FORESEEN = {
    2804001: "malformed_fbc",
    2804004: "event_time_in_milliseconds",
    2804008: "missing",
    2804009: "purchase_without_value",
    2804010: "purchase_without_currency",
    2804016: "not_hashed",
    2804019: "unknown_key",
    2804023: "value_without_currency",
    2804036: "bad_lead_id",
    2804043: "extinfo_without_os_version",
    2804050: "weak_identifiers",
    2804063: "business_messaging_without_channel",
    2804064: "not_for_business_messaging",
    2804066: "bad_messaging_event_name",
    2804069: "missing_for_channel",
}


def test_every_code_has_its_example() -> None:
    assert set(EXAMPLES) == set(MESSAGES)


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_the_example_has_this_one_problem(code: str) -> None:
    event, path = EXAMPLES[code]

    problems = problems_of(event)

    assert [(problem.path, problem.code, problem.message) for problem in problems] == [(path, code, MESSAGES[code])]


@pytest.mark.parametrize("subcode", sorted(FORESEEN))
def test_what_meta_would_refuse_with_this_subcode_is_refused_here(subcode: int) -> None:
    event, _ = EXAMPLES[FORESEEN[subcode]]

    assert FORESEEN[subcode] in {problem.code for problem in problems_of(event)}
