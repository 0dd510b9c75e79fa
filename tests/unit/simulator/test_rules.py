"""What the simulator refuses, one example a rule, and what it takes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import GraphError
from simulator.rules import MAX_AGE_SECONDS, MAX_STORE_AGE_SECONDS, first_error

NOW = 1_700_000_000.5
HASH = "855f96e983f1f8e8be944692b6f719fd54329826cb62e98015efee8e2e071dd4"
EXTINFO = ["i2", "com.example.app", "1.0", "1.0.3", "13.4.1", "iPhone5,1", *[""] * 10]


def event_with(**changes: object) -> dict[str, Any]:
    """Return a valid event with some keys changed; a key changed to ``...`` is left out."""
    event = {
        "event_name": "Lead",
        "event_time": 1_700_000_000,
        "event_id": "lead-1",
        "action_source": "website",
        "event_source_url": "https://shop.example/",
        "user_data": {"em": [HASH], "client_user_agent": "Mozilla/5.0"},
    }
    return {key: value for key, value in (event | changes).items() if value is not ...}


def purchase_with(**custom_data: object) -> dict[str, Any]:
    return event_with(event_name="Purchase", custom_data={"value": 12.5, "currency": "USD"} | custom_data)


def message_with(channel: str, **user_data: object) -> dict[str, Any]:
    return event_with(
        event_name="Purchase",
        action_source="business_messaging",
        messaging_channel=channel,
        event_source_url=...,
        user_data=user_data,
        custom_data={"value": 1, "currency": "EUR"},
    )


def app_event_with(**app_data: object) -> dict[str, Any]:
    facts = {"advertiser_tracking_enabled": 1, "extinfo": EXTINFO} | app_data
    return event_with(action_source="app", app_data={key: value for key, value in facts.items() if value is not ...})


def error_of(*events: object) -> GraphError | None:
    return first_error(list(events), NOW)


def name_of(*events: object) -> str | None:
    error = error_of(*events)
    return error.name if error else None


def text_of(*events: object) -> str:
    error = error_of(*events)
    assert error is not None
    assert error.name == "100/2804019"
    return error.user_msg or ""


VALID = [
    event_with(),
    event_with(event_id=..., event_source_url=...),
    event_with(user_data={"external_id": "u-1"}),
    event_with(user_data={"external_id": ["u-1", 7]}),
    event_with(user_data={"em": HASH.upper()}),
    event_with(user_data={"em": f"{HASH}.AQQCAQMC"}),
    event_with(user_data={"em": [HASH], "ph": None, "fn": ["", None]}),
    event_with(user_data={"em": [HASH], "something_new": {"a": 1}}),
    event_with(user_data={"client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0"}),
    event_with(user_data={"lead_id": 123456789012345}),
    event_with(user_data={"fb_login_id": 0}),
    event_with(user_data={"fbc": "fb.1.1700000000123.AbCdEf", "fbp": "fb.1.1700000000123.1116446470"}),
    event_with(custom_data={"anything": {"nested": [1, "two", None]}}),
    event_with(custom_data={"value": "142.52", "currency": "usd"}),
    event_with(data_processing_options=["LDU"], data_processing_options_country=1, data_processing_options_state=1000),
    event_with(event_name="AppendValue", action_source=..., original_event_data={"event_id": "1"}),
    event_with(action_source="physical_store", custom_data={"contents": [{"id": "a", "price": 3}]}),
    purchase_with(contents=[{"id": 0, "quantity": 1, "item_price": "2.50", "brand": "b"}], content_ids=["a", 1]),
    purchase_with(value=0),
    app_event_with(),
    app_event_with(advertiser_tracking_enabled=False),
    message_with("messenger", page_id="1", page_scoped_user_id="2"),
    message_with("whatsapp", whatsapp_business_account_id="1", ctwa_clid="c"),
    message_with("whatsapp", page_id="1", ctwa_clid="c"),
    message_with("instagram", ig_account_id="1", ig_sid="2"),
]

INVALID = [
    ("100/2804003", event_with(event_time=int(NOW) - MAX_AGE_SECONDS - 1)),
    ("100/2804003", event_with(event_time=-1)),
    ("100/2804003", event_with(event_time=int(NOW) - MAX_STORE_AGE_SECONDS - 1, action_source="physical_store")),
    ("100/2804004", event_with(event_time=int(NOW) + 1)),
    ("100/2804004", event_with(event_time=1_700_000_000_000)),
    ("100/2804004", event_with(event_time=10**400)),
    ("100/2804001", event_with(user_data={"fbc": "AbCdEf"})),
    ("100/2804016", event_with(user_data={"em": ["someone@example.com"]})),
    ("100/2804016", event_with(user_data={"ph": 16505551212})),
    ("100/2804016", event_with(user_data={"em": {"hash": HASH}})),
    ("100/2804016", event_with(user_data={"em": "d41d8cd98f00b204e9800998ecf8427e"})),
    ("100/2804016", event_with(user_data={"ph": 0})),
    ("100/2804036", event_with(user_data={"lead_id": "12"})),
    ("100/2804050", event_with(user_data={})),
    ("100/2804050", event_with(user_data={"something_new": "1"})),
    ("100/2804050", event_with(user_data={"client_user_agent": "Mozilla/5.0"})),
    ("100/2804050", event_with(user_data={"ct": [HASH], "country": [HASH], "zp": HASH, "em": [""]})),
    ("100/2804050", event_with(user_data={"db": [HASH], "client_user_agent": "Mozilla/5.0"})),
    ("100/2804050", event_with(user_data={"fn": [HASH], "ge": [HASH]})),
    ("100/2804050", event_with(user_data={"ln": [HASH], "ge": [HASH]})),
    ("100/2804008", purchase_with(contents=[{"id": "a"}, {"quantity": 1}])),
    ("100/2804009", purchase_with(value="")),
    ("100/2804010", purchase_with(currency="")),
    ("100/2804010", event_with(event_name="Purchase")),
    ("100/2804010", event_with(event_name="Purchase", custom_data={})),
    ("100/2804023", event_with(custom_data={"value": 1})),
    ("100/2804043", app_event_with(extinfo=[*EXTINFO[:4], " ", *EXTINFO[5:]])),
    ("100/2804063", event_with(action_source="business_messaging")),
    ("100/2804064", message_with("whatsapp", page_id="1", ctwa_clid="c", fbc="fb.1.1700000000123.A")),
    ("100/2804064", message_with("whatsapp", page_id="1", ctwa_clid="c") | {"event_source_url": "https://a.example"}),
    ("100/2804066", message_with("whatsapp", page_id="1", ctwa_clid="c") | {"event_name": "Lead"}),
    ("100/2804069", message_with("messenger", page_scoped_user_id="2")),
    ("100/2804071", message_with("messenger", page_id="1")),
    ("100/2804071", message_with("whatsapp", page_id="1")),
    ("100/2804071", message_with("instagram", ig_account_id="1")),
    ("100/2804079", message_with("instagram", ig_sid="2")),
    ("100/2804116", message_with("whatsapp", ctwa_clid="c")),
]

WRONG_SHAPES = [
    (event_with(event_name=...), "$['data'][0]['event_name'] is required"),
    (event_with(event_time=...), "$['data'][0]['event_time'] is required"),
    (event_with(user_data=...), "$['data'][0]['user_data'] is required"),
    (event_with(action_source=...), "$['data'][0]['action_source'] is required"),
    (event_with(event_name=""), "$['data'][0]['event_name'] must be a non-empty string"),
    (event_with(event_time="1700000000"), "$['data'][0]['event_time'] must be an integer"),
    (event_with(event_time=1_700_000_000.0), "$['data'][0]['event_time'] must be an integer"),
    (event_with(event_time=True), "$['data'][0]['event_time'] must be an integer"),
    (event_with(event_id=7), "$['data'][0]['event_id'] must be a string"),
    (event_with(event_id=None), "$['data'][0]['event_id'] must be a string"),
    (event_with(user_data=[]), "$['data'][0]['user_data'] must be an object"),
    (event_with(opt_out="yes"), "$['data'][0]['opt_out'] must be a boolean"),
    (event_with(user_data={"fbp": ["x"]}), "$['data'][0]['user_data']['fbp'] must be a string"),
    (event_with(user_data={"external_id": [{}]}), "$['data'][0]['user_data']['external_id'] must be a string"),
    (event_with(foo=1), 'Unexpected key "foo" on param "$[\'data\'][0]".'),
    (event_with(extinfo=EXTINFO), 'Unexpected key "extinfo" on param "$[\'data\'][0]".'),
    (
        purchase_with(contents=[{"id": "a", "name": "n"}]),
        "Unexpected key \"name\" on param \"$['data'][0]['custom_data']['contents'][0]\".",
    ),
    (
        purchase_with(contents=[{"id": "a", "price": 3}]),
        "Unexpected key \"price\" on param \"$['data'][0]['custom_data']['contents'][0]\".",
    ),
    (purchase_with(contents='[{"id": "a"}]'), "$['data'][0]['custom_data']['contents'] must be an array"),
    (purchase_with(contents=["a"]), "$['data'][0]['custom_data']['contents'] must be an array"),
    (purchase_with(value="a lot"), "$['data'][0]['custom_data']['value'] must be a number"),
    (purchase_with(value=float("inf")), "$['data'][0]['custom_data']['value'] must be a number"),
    (purchase_with(value=True), "$['data'][0]['custom_data']['value'] must be a number"),
    (purchase_with(currency="dollars"), "$['data'][0]['custom_data']['currency'] must be a three-letter currency code"),
    (event_with(action_source="app"), "$['data'][0]['app_data'] is required"),
    (app_event_with(extinfo=...), "$['data'][0]['app_data']['extinfo'] is required"),
    (app_event_with(extinfo=EXTINFO[:9]), "$['data'][0]['app_data']['extinfo'] must be an array of 16 values"),
    (app_event_with(extinfo=["x9", *EXTINFO[1:]]), "$['data'][0]['app_data']['extinfo'][0] must be one of a2, i2"),
    (
        app_event_with(advertiser_tracking_enabled=2),
        "$['data'][0]['app_data']['advertiser_tracking_enabled'] must be 0 or 1",
    ),
    (
        message_with("telegram", page_id="1"),
        "$['data'][0]['messaging_channel'] must be one of messenger, whatsapp, instagram",
    ),
    ("no event", "$['data'][0] must be an object"),
]


@pytest.mark.parametrize("event", VALID)
def test_a_valid_event_is_taken(event: dict[str, Any]) -> None:
    assert name_of(event) is None


@pytest.mark.parametrize(("name", "event"), INVALID)
def test_an_event_that_breaks_a_rule_is_refused_with_that_rules_subcode(name: str, event: dict[str, Any]) -> None:
    assert name_of(event) == name


@pytest.mark.parametrize(("event", "text"), WRONG_SHAPES)
def test_a_wrong_shape_is_named_with_its_path(event: object, text: str) -> None:
    assert text_of(event) == text


def test_an_action_source_outside_the_list_is_refused_with_the_list() -> None:
    text = text_of(event_with(action_source="shop"))

    assert text.startswith("$['data'][0]['action_source'] must be one of email, website")


@pytest.mark.parametrize("events", [None, {}, "[]", 3])
def test_data_that_is_no_array_is_refused_as_a_whole(events: object) -> None:
    error = first_error(events, NOW)

    assert error is not None
    assert error.user_msg == "$['data'] must be an array"


@pytest.mark.parametrize("count", [0, 1001])
def test_a_request_holds_between_one_event_and_a_thousand(count: int) -> None:
    error = first_error([event_with()] * count, NOW)

    assert error is not None
    assert error.user_msg == "$['data'] must have 1 to 1000 items"


def test_a_thousand_events_are_taken() -> None:
    assert first_error([event_with()] * 1000, NOW) is None


def test_the_path_counts_from_zero() -> None:
    assert text_of(event_with(), event_with(), event_with(foo=1)) == 'Unexpected key "foo" on param "$[\'data\'][2]".'


@pytest.mark.parametrize("error", [error_of(event) for _, event in INVALID])
def test_a_broken_rule_does_not_say_which_event_it_was(error: GraphError) -> None:
    assert "$[" not in f"{error.user_title} {error.user_msg}"


def test_the_unhashed_parameter_is_named_but_not_its_value() -> None:
    error = error_of(event_with(user_data={"em": [HASH], "ct": ["springfield"]}))

    assert error is not None
    assert "ct" in (error.user_msg or "")
    assert "springfield" not in (error.user_msg or "")


def test_the_shape_of_all_events_is_judged_before_the_time_of_any() -> None:
    assert name_of(event_with(event_time=1), event_with(foo=1)) == "100/2804019"


def test_the_time_is_judged_before_the_identifiers() -> None:
    assert name_of(event_with(event_time=1, user_data={"client_user_agent": "Mozilla/5.0"})) == "100/2804003"


def test_the_identifiers_are_judged_before_the_purchase() -> None:
    assert name_of(event_with(event_name="Purchase", user_data={"fn": [HASH]})) == "100/2804050"


@pytest.mark.parametrize(
    ("action_source", "limit_seconds"),
    [("website", MAX_AGE_SECONDS), ("other", MAX_AGE_SECONDS), ("physical_store", MAX_STORE_AGE_SECONDS)],
)
def test_an_event_of_exactly_the_age_limit_is_still_taken(action_source: str, limit_seconds: int) -> None:
    assert name_of(event_with(action_source=action_source, event_time=int(NOW) - limit_seconds)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
odd_events = st.dictionaries(
    st.sampled_from([*event_with(), "custom_data", "app_data", "messaging_channel", "foo"]), json_values, max_size=5
).map(lambda changes: event_with() | changes)


@given(st.lists(odd_events | json_values, max_size=5))
def test_whatever_is_posted_gets_a_verdict(events: list[Any]) -> None:
    first_error(events, NOW)


@given(st.sampled_from(["em", "ph", "ct", "dobd"]), st.text(min_size=1).filter(lambda text: len(text) < 64))
def test_no_text_shorter_than_a_hash_passes_for_one(key: str, text: str) -> None:
    assert name_of(event_with(user_data={"external_id": "u-1", key: [text]})) == "100/2804016"


@given(st.sampled_from([event for _, event in INVALID]), st.integers(0, 20))
def test_one_invalid_event_sinks_its_request_wherever_it_stands(event: dict[str, Any], position: int) -> None:
    events = [event_with()] * 20
    events.insert(position, event)

    assert name_of(*events) == name_of(event)


@given(st.dictionaries(st.text().map("my_{}".format), json_values))
def test_custom_properties_are_nobodys_business(properties: dict[str, Any]) -> None:
    assert name_of(event_with(custom_data=properties)) is None
