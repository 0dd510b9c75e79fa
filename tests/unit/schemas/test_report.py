import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.datasets import DatasetDefaults
from schemas import problems_of
from schemas.report import report, unreadable
from tests.fakes.events import bad_events, mixed, purchase, raw_purchase

NOW = 1_700_000_100.0
MOMENT = 1_700_000_000
KEYS = {"index", "valid", "errors", "warnings", "match_quality", "event"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def codes(told: dict[str, Any], part: str) -> list[tuple[str, str]]:
    return [(each["path"], each["code"]) for each in told[part]]


def test_a_good_event_is_reported_as_it_would_be_sent() -> None:
    event = purchase(event_time=MOMENT)
    told = report(3, event, now=NOW)

    assert told.keys() == KEYS
    assert (told["index"], told["valid"], told["errors"], told["event"]) == (3, True, [], event)


def test_raw_personal_data_is_hashed_in_what_is_shown() -> None:
    told = report(0, raw_purchase(1, MOMENT), now=NOW)

    assert told["valid"]
    assert "Person.1" not in json.dumps(told)


@pytest.mark.parametrize("name", sorted(bad_events()))
def test_a_bad_event_is_invalid_with_path_code_and_message(name: str) -> None:
    told = report(0, bad_events(MOMENT)[name], now=NOW)

    assert not told["valid"]
    assert told["errors"][0].keys() == {"path", "code", "message"}


def test_warnings_come_from_the_producer_and_from_the_linter() -> None:
    event = raw_purchase(1, MOMENT)
    event["user_data"] = {"email": "ada@example.com", "ph": "555-1212", "client_ip_address": "10.0.0.1"}
    told = report(0, event, now=NOW)

    assert codes(told, "warnings") == [
        ("user_data.email", "changed"),
        ("user_data.ph", "left_out"),
        ("user_data.client_ip_address", "private_ip"),
        ("user_data.client_user_agent", "website_without_user_agent"),
    ]
    assert not told["warnings"][1]["message"].startswith("user_data")


def test_an_event_that_gave_no_id_is_told_so_although_it_is_shown_with_one() -> None:
    event = purchase(event_time=MOMENT)
    del event["event_id"]
    told = report(0, event, now=NOW)

    assert ("event_id", "missing_event_id") in codes(told, "warnings")
    assert len(told["event"]["event_id"]) == 32


def test_the_datasets_word_and_domains_are_heard() -> None:
    defaults = DatasetDefaults("1", default_country="US", coerce_times=True, data_processing_options=("LDU",))
    event = raw_purchase(1, MOMENT * 1000) | {"user_data": {"ph": "(650) 555-1212"}}
    told = report(0, event, defaults, now=NOW, domains=["other.example"], test_mode=True)

    assert told["event"]["event_time"] == MOMENT
    assert told["event"]["data_processing_options"] == ["LDU"]
    assert "ph" in told["event"]["user_data"]
    assert {"url_off_domains", "test_event_code"} <= {code for _, code in codes(told, "warnings")}


def test_milliseconds_and_iso_times_are_errors_that_say_what_to_send() -> None:
    found = [
        report(0, purchase(event_time=MOMENT) | {"event_time": time}, now=NOW)["errors"][0]
        for time in (MOMENT * 1000, "2023-11-14T22:13:20Z", MOMENT + 0.5)
    ]

    assert [each["code"] for each in found] == ["event_time_in_milliseconds", "not_unix_seconds", "not_unix_seconds"]
    assert "divide by 1000" in found[0]["message"]
    assert "ISO 8601" in found[1]["message"]


def test_what_json_cannot_carry_is_unreadable() -> None:
    told = report(5, {"event_name": b"x"}, now=NOW)

    assert told.keys() == KEYS
    assert (told["index"], told["valid"], told["event"], codes(told, "errors")) == (
        5,
        False,
        None,
        [("", "undecodable")],
    )


def test_a_line_that_is_no_event_has_the_same_keys() -> None:
    assert unreadable(7, "not JSON").keys() == KEYS


def test_the_clock_is_asked_where_no_time_is_given() -> None:
    assert report(0, purchase())["valid"]


def test_reports_agree_with_the_schemas_over_a_mix() -> None:
    for index, event in enumerate(mixed(200, seed=5)):
        told = report(index, event)

        assert told["valid"] is (problems_of(told["event"]) == [])


@given(event=st.dictionaries(st.text() | st.sampled_from(["event_time", "user_data", "custom_data"]), JSON))
def test_anything_is_reported_as_json(event: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report(0, event, now=NOW))).keys() == KEYS
