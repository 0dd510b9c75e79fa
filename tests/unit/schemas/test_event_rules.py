"""What the event itself must carry, whatever it is about."""

from typing import Any

import pytest

from schemas.event import ACTION_SOURCES, EVENT_NAME_MAX_LENGTH
from tests.fakes.events import EXTINFO, USER_AGENT, digest, lead, page_view, purchase
from tests.unit.schemas.verdict import verdict

BASE = {"event_name": "Contact", "event_time": 1_700_000_000, "user_data": {"em": digest("ada@example.com")}}
MINIMAL: dict[str, dict[str, Any]] = {
    "website": {"event_source_url": "https://shop.example.com/"},
    "app": {"app_data": {"advertiser_tracking_enabled": 0, "extinfo": list(EXTINFO)}},
    "business_messaging": {
        "event_name": "LeadSubmitted",
        "messaging_channel": "messenger",
        "user_data": {"page_id": "1", "page_scoped_user_id": "2"},
    },
}


@pytest.mark.parametrize("action_source", sorted(ACTION_SOURCES))
def test_the_minimal_event_of_every_action_source_is_valid(action_source: str) -> None:
    event = BASE | {"action_source": action_source} | MINIMAL.get(action_source, {})

    assert verdict(event) == []


@pytest.mark.parametrize("event", [purchase(), page_view(), lead()])
def test_ordinary_events_are_valid(event: dict[str, Any]) -> None:
    assert verdict(event) == []


@pytest.mark.parametrize("key", ["event_name", "event_time", "user_data", "action_source"])
def test_each_of_the_four_base_fields_is_required(key: str) -> None:
    event = purchase()
    del event[key]

    assert verdict(event) == [(key, "missing")]


def test_what_adds_value_to_an_earlier_event_needs_no_action_source() -> None:
    event = purchase(event_name="AppendValue", original_event_data={"event_name": "Purchase", "order_id": "1001"})
    del event["action_source"]

    assert verdict(event) == []


def test_a_required_field_that_is_null_is_refused() -> None:
    assert verdict(purchase(user_data=None)) == [("user_data", "null")]


def test_a_website_event_without_a_user_agent_is_valid_because_meta_takes_it() -> None:
    event = purchase(user_data={"em": digest("ada@example.com")})

    assert verdict(event) == []


@pytest.mark.parametrize(
    "url", ["", "shop.example.com/thanks", "ftp://shop.example.com", "https://", "android-app://x"]
)
def test_a_website_event_needs_a_web_address(url: str) -> None:
    assert verdict(purchase(event_source_url=url)) == [("event_source_url", "not_url")]


@pytest.mark.parametrize(
    "url", ["HTTPS://Shop.Example.Com", "http://münchen.example/ä?q=1#x", "https://[2001:db8::1]/"]
)
def test_the_web_address_is_not_looked_at_too_closely(url: str) -> None:
    assert verdict(purchase(event_source_url=url)) == []


def test_elsewhere_the_source_url_may_be_any_string() -> None:
    assert verdict(purchase(action_source="other", event_source_url="shop://thanks")) == []


@pytest.mark.parametrize(("length", "code"), [(0, "empty"), (EVENT_NAME_MAX_LENGTH + 1, "too_long")])
def test_an_event_name_has_one_to_fifty_characters(length: int, code: str) -> None:
    assert verdict(purchase(event_name="x" * length)) == [("event_name", code)]


def test_an_event_name_of_fifty_characters_is_valid() -> None:
    assert verdict(purchase(event_name="é" * EVENT_NAME_MAX_LENGTH)) == []


@pytest.mark.parametrize("event_time", ["1700000000", 1_700_000_000.0, True, [1_700_000_000]])
def test_event_time_is_an_integer_and_nothing_like_it(event_time: object) -> None:
    assert verdict({**purchase(), "event_time": event_time}) == [("event_time", "not_unix_seconds")]


def test_a_numeric_event_id_is_refused() -> None:
    assert verdict(purchase() | {"event_id": 1001}) == [("event_id", "not_string")]


@pytest.mark.parametrize("value", [0, 1, "true", "false"])
def test_opt_out_is_a_boolean(value: object) -> None:
    assert verdict(purchase(opt_out=value)) == [("opt_out", "not_boolean")]


@pytest.mark.parametrize("action_source", ["web", "Website", ""])
def test_action_source_is_one_of_nine(action_source: str) -> None:
    assert verdict(purchase(action_source=action_source)) == [("action_source", "bad_action_source")]


def test_a_list_as_action_source_is_refused_without_a_crash() -> None:
    assert verdict(purchase(action_source=[], messaging_channel={})) == [
        ("action_source", "not_string"),
        ("messaging_channel", "not_string"),
    ]


@pytest.mark.parametrize("place", ["event", "custom_data"])
def test_customer_segmentation_is_known_in_both_places(place: str) -> None:
    event = page_view(custom_data={})
    (event if place == "event" else event["custom_data"])["customer_segmentation"] = "new_customer_to_business"

    assert verdict(event) == []


def test_the_original_event_may_be_named() -> None:
    event = purchase(original_event_data={"event_name": "Purchase", "event_time": 1_700_000_000, "order_id": "1"})

    assert verdict(event) == []


def test_attribution_data_is_open_for_the_keys_of_the_beta() -> None:
    event = purchase(attribution_data={"ad_id": "1", "attribution_share": 0.5, "scope": "click"})

    assert verdict(event) == []


def test_app_data_lets_unknown_keys_through() -> None:
    app_data = {"advertiser_tracking_enabled": True, "extinfo": list(EXTINFO), "madid": "x"}

    assert verdict(purchase(action_source="app", app_data=app_data)) == []


def test_unset_positions_of_extinfo_may_be_empty_or_null() -> None:
    extinfo = ["a2", "", "", None, "14", *[""] * 11]

    assert verdict(purchase(action_source="app", app_data={"advertiser_tracking_enabled": 1, "extinfo": extinfo})) == []


class TestLimitedDataUse:
    """Meta: data-processing-options."""

    def test_no_option_needs_nothing_more(self) -> None:
        assert verdict(purchase(data_processing_options=[])) == []

    @pytest.mark.parametrize(("country", "state"), [(0, 0), (1, 0), (1, 1000), (1, 1013)])
    def test_ldu_with_country_and_state_is_valid(self, country: int, state: int) -> None:
        event = purchase(
            data_processing_options=["LDU"],
            data_processing_options_country=country,
            data_processing_options_state=state,
        )

        assert verdict(event) == []

    def test_a_country_without_a_state_is_left_to_geolocation(self) -> None:
        assert verdict(purchase(data_processing_options=["LDU"], data_processing_options_country=1)) == []

    def test_without_an_ip_address_a_state_is_required(self) -> None:
        event = purchase(
            user_data={"em": digest("ada@example.com"), "client_user_agent": USER_AGENT},
            data_processing_options=["LDU"],
            data_processing_options_country=0,
        )

        assert verdict(event) == [("data_processing_options_state", "ldu_without_state")]

    @pytest.mark.parametrize("state", [1, 999, 1014])
    def test_a_state_meta_does_not_list_is_refused(self, state: int) -> None:
        event = purchase(data_processing_options_country=1, data_processing_options_state=state)

        assert verdict(event) == [("data_processing_options_state", "bad_ldu_state")]
