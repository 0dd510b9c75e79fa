from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.addresses import REMOVED, may_need_it, without_addresses
from capi_relay.wire import encode_with_objects

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


@given(
    event=st.dictionaries(
        st.sampled_from(["custom_data", "user_data", "app_data", "a@b.co", "x"]),
        st.recursive(
            st.sampled_from(["ab@cd.ef", "ab%40cd.ef", "a%2540b.co", "2 @ 3", "40%", "x", 7, None]),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(st.sampled_from(["email", "firstName", "city", "id", "a@b.co", "x"]), inner)
            ),
            max_leaves=5,
        ),
    )
)
def test_what_is_said_not_to_need_it_would_come_out_as_it_was(event: dict[str, Any]) -> None:
    encoded, objects = encode_with_objects(event)
    person = event.get("user_data")
    if not may_need_it(encoded, [each for each in objects if each is not person]):
        assert without_addresses(event) == (event, ())
