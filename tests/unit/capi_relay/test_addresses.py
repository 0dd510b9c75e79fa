from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.addresses import REMOVED, without_addresses

PERSON = "ann.b+c@shop.example.com"


@pytest.mark.parametrize(
    ("event", "cleaned"),
    [
        ({"event_time": PERSON}, {"event_time": REMOVED}),
        ({"custom_data": {"note": f"for <{PERSON}>, soon"}}, {"custom_data": {"note": f"for <{REMOVED}>, soon"}}),
        ({"custom_data": {PERSON: 1}}, {"custom_data": {REMOVED: 1}}),
        (
            {"custom_data": {"contents": [{"id": f"x:{PERSON}"}]}},
            {"custom_data": {"contents": [{"id": f"x:{REMOVED}"}]}},
        ),
        ({"event_source_url": f"https://x.example/{PERSON}/a"}, {"event_source_url": f"https://x.example/{REMOVED}/a"}),
        ({PERSON: True}, {REMOVED: True}),
    ],
)
def test_an_address_is_removed_wherever_it_stands(event: dict[str, Any], cleaned: dict[str, Any]) -> None:
    safe, warnings = without_addresses(event)

    assert safe == cleaned
    assert len(warnings) == 1
    assert "ann" not in warnings[0]


@pytest.mark.parametrize("text", ["@brand", "a@b", "2 @ 3.50", "me@home", "user@"])
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses({"custom_data": {"text": text}}) == ({"custom_data": {"text": text}}, ())


def test_user_data_is_left_as_it_was_made_safe() -> None:
    event = {"user_data": {"client_user_agent": "bot (+mailto:op@bots.example)"}}

    assert without_addresses(event) == (event, ())


@given(st.text(max_size=50), st.text(max_size=50))
def test_removing_twice_changes_nothing(before: str, after: str) -> None:
    once, _ = without_addresses({"custom_data": {"text": f"{before} {PERSON} {after}"}})

    assert "ann" not in once["custom_data"]["text"].replace(before, "").replace(after, "")
    assert without_addresses(once) == (once, ())
