import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import InvalidEvent
from capi_relay.browser import pixel_call

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def arguments(call: str) -> list[object]:
    """Read the call's arguments; they are JSON."""
    inside = re.fullmatch(r"fbq\((.*)\);", call, re.DOTALL)
    assert inside
    found: list[object] = json.loads(f"[{inside[1]}]")
    return found


def test_a_standard_event_is_tracked_with_its_parameters_and_its_id() -> None:
    call = pixel_call("Purchase", "order-1001", {"value": Decimal("9.90"), "currency": "EUR"})

    assert call == 'fbq("track", "Purchase", {"value":9.9,"currency":"EUR"}, {"eventID":"order-1001"});'


def test_an_event_without_parameters_has_an_empty_object_in_their_place() -> None:
    assert pixel_call("Lead", "7") == 'fbq("track", "Lead", {}, {"eventID":"7"});'


@pytest.mark.parametrize("name", ["BoughtGift", "purchase"])
def test_any_other_name_is_a_custom_event(name: str) -> None:
    assert arguments(pixel_call(name, "7"))[:2] == ["trackCustom", name]


def test_nothing_in_the_call_can_end_the_script() -> None:
    call = pixel_call("</script>", "<!--", {"name": "</script><script>alert(1)//\u2028&'"})

    assert not set("<>&'\u2028") & set(call)
    assert arguments(call)[2] == {"name": "</script><script>alert(1)//\u2028&'"}


def test_parameters_that_json_cannot_carry_are_refused() -> None:
    with pytest.raises(InvalidEvent, match="value"):
        pixel_call("Purchase", "7", {"value": float("nan")})


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_whatever_the_call_holds_a_script_reads_it_back(name: str, event_id: str, params: dict[str, str]) -> None:
    call = pixel_call(name, event_id, params)

    assert arguments(call)[1:] == [name, params, {"eventID": event_id}]
    assert not set("<>&'\u2028\u2029") & set(call)
