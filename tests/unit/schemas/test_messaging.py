"""Events from conversations: their channel, its ids, and what they must not carry."""

from typing import Any

import pytest

from schemas.messaging import EVENT_NAMES, take_event_names
from tests.fakes.events import FBC, USER_AGENT
from tests.unit.schemas.verdict import verdict

IDS: dict[str, dict[str, object]] = {
    "messenger": {"page_id": 1, "page_scoped_user_id": 2},
    "whatsapp": {"whatsapp_business_account_id": "1", "ctwa_clid": "ARAk"},
    "instagram": {"ig_account_id": "1", "ig_sid": "2"},
}


def message(channel: str, **user_data: object) -> dict[str, Any]:
    return {
        "event_name": "LeadSubmitted",
        "event_time": 1_700_000_000,
        "action_source": "business_messaging",
        "messaging_channel": channel,
        "user_data": {**IDS[channel], **user_data},
    }


@pytest.mark.parametrize("channel", sorted(IDS))
def test_the_minimal_event_of_every_channel_is_valid(channel: str) -> None:
    assert verdict(message(channel)) == []


@pytest.mark.parametrize(("channel", "key"), [(channel, key) for channel, ids in IDS.items() for key in ids])
def test_every_id_of_a_channel_is_required(channel: str, key: str) -> None:
    event = message(channel)
    del event["user_data"][key]

    assert verdict(event) == [(f"user_data.{key}", "missing_for_channel")]


def test_whatsapp_takes_a_page_id_in_place_of_the_account() -> None:
    event = message("whatsapp", whatsapp_business_account_id=None, page_id=1)

    assert verdict(event) == []


@pytest.mark.parametrize("key", ["fbc", "fbp", "client_ip_address", "client_user_agent"])
def test_what_only_a_browser_knows_must_be_absent(key: str) -> None:
    value = {"fbc": FBC, "client_user_agent": USER_AGENT}.get(key, "203.0.113.7")

    assert verdict(message("messenger", **{key: value})) == [(f"user_data.{key}", "not_for_business_messaging")]


def test_the_address_of_a_page_must_be_absent() -> None:
    event = message("messenger") | {"event_source_url": "https://shop.example.com/"}

    assert verdict(event) == [("event_source_url", "not_for_business_messaging")]


def test_a_web_name_is_refused() -> None:
    assert verdict(message("messenger") | {"event_name": "Lead"}) == [("event_name", "bad_messaging_event_name")]


def test_without_a_channel_no_ids_are_asked_for() -> None:
    event = message("messenger")
    del event["messaging_channel"], event["user_data"]["page_id"]

    assert verdict(event) == [("messaging_channel", "business_messaging_without_channel")]


def test_elsewhere_a_web_name_and_a_browser_are_welcome() -> None:
    event = message("messenger", fbc=FBC) | {"event_name": "Lead", "action_source": "chat"}

    assert verdict(event) == []


def test_the_event_names_are_a_setting() -> None:
    event = message("whatsapp") | {"event_name": "Booked"}
    try:
        take_event_names({"Booked"})

        assert verdict(event) == []
    finally:
        take_event_names(EVENT_NAMES)
    assert verdict(event) == [("event_name", "bad_messaging_event_name")]
