import json
import math
import tracemalloc
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.errors import InvalidEvent
from capi_relay.wire import MAX_DEPTH, MAX_EVENT_BYTES, decode, encode

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON_EVENTS = st.dictionaries(
    TEXT, st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)
)
ODD_SCALARS = SCALARS | st.floats() | st.text() | st.binary() | st.decimals() | st.datetimes() | st.sets(st.integers())
ODD_KEYS = st.text() | st.integers() | st.none() | st.booleans() | st.floats(allow_nan=False)
ODD_EVENTS = st.dictionaries(
    ODD_KEYS,
    st.recursive(
        ODD_SCALARS, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(ODD_KEYS, inner), max_leaves=10
    ),
)
NO_JSON: dict[str, object] = {
    "bytes": b"bytes",
    "a datetime": datetime(2026, 11, 22, tzinfo=UTC),
    "a set": {1, 2},
    "an object": object(),
    "a complex number": 1j,
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "decimal nan": Decimal("NaN"),
    "decimal signalling nan": Decimal("sNaN"),
    "decimal infinity": Decimal("-Infinity"),
    "an integral decimal of 5001 digits": Decimal("1E+5000"),
    "a decimal that would fill the memory": Decimal("1E+999999999"),
    "a decimal beyond a float": Decimal("1" + "0" * 400 + ".5"),
    "an integer of 4301 digits": 10**4300,
    "half a character": "\ud800",
}


class Source(StrEnum):
    WEBSITE = "website"


class Count(IntEnum):
    TWO = 2


def nested(depth: int) -> dict[str, Any]:
    """Return an event of that many objects and arrays inside each other."""
    value: Any = []
    for _ in range(depth - 2):
        value = [value]
    return {"a": value}


@given(event=JSON_EVENTS)
def test_what_was_encoded_decodes_to_the_same(event: dict[str, Any]) -> None:
    assert decode(encode(event)) == event


@given(event=JSON_EVENTS)
def test_what_was_decoded_encodes_to_the_same_bytes(event: dict[str, Any]) -> None:
    data = encode(event)

    assert encode(decode(data)) == data


@given(event=ODD_EVENTS)
def test_an_event_is_refused_or_can_be_read_back(event: dict[Any, Any]) -> None:
    try:
        data = encode(event)
    except InvalidEvent:
        return

    assert isinstance(decode(data), dict)


@given(data=st.binary() | st.text(alphabet='{}[]":,\\ud8 01eE+-.nulltrueNaN').map(str.encode))
def test_bytes_are_an_event_or_invalid_and_nothing_else(data: bytes) -> None:
    try:
        event = decode(data)
    except InvalidEvent:
        return

    assert decode(encode(event)) == event


def test_the_json_is_compact_utf8_in_the_order_given() -> None:
    event = {"event_name": "Käufe", "custom_data": {"value": 1.5, "ids": ("a", 1)}, "opt_out": False}

    assert encode(event) == '{"event_name":"Käufe","custom_data":{"value":1.5,"ids":["a",1]},"opt_out":false}'.encode()


def test_mappings_tuples_and_enums_are_what_they_hold() -> None:
    event = MappingProxyType({"a": OrderedDict(b=(1,)), "c": MappingProxyType({"d": Source.WEBSITE, "e": Count.TWO})})

    assert decode(encode(event)) == {"a": {"b": [1]}, "c": {"d": "website", "e": 2}}


@pytest.mark.parametrize(
    ("number", "written"),
    [("19.99", b"19.99"), ("20.00", b"20"), ("-0", b"0"), ("1E+3", b"1000"), ("0.1", b"0.1"), ("1e-400", b"0.0")],
)
def test_a_decimal_is_a_number(number: str, written: bytes) -> None:
    assert encode({"value": Decimal(number)}) == b'{"value":' + written + b"}"


@pytest.mark.parametrize("what", NO_JSON)
def test_what_json_cannot_carry_is_refused_by_the_name_of_its_field(what: str) -> None:
    event = {"custom_data": {"contents": [{"price": 1}, {"price": NO_JSON[what]}]}}

    with pytest.raises(InvalidEvent, match=r"^custom_data\.contents\[1\]\.price: "):
        encode(event)


def test_no_message_holds_a_value_or_a_key_that_is_no_name() -> None:
    for value in (b"canary-7f3", "canary-7f3\ud800", {"canary-7f3"}, {"canary-7f3@b.co": b""}):
        with pytest.raises(InvalidEvent) as caught:
            encode({"a": value})

        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("key", [1, 1.5, None, True, (1, 2), b"a", "\udfff"], ids=ascii)
def test_a_key_that_is_no_text_is_refused_where_it_stands(key: object) -> None:
    with pytest.raises(InvalidEvent, match=r"^custom_data\[0\]: a key "):
        encode({"custom_data": [{key: 1}]})


def test_a_wrong_key_of_the_event_itself_is_named_too() -> None:
    with pytest.raises(InvalidEvent, match=r"^the event: a key is no text but int"):
        encode({1: "a"})  # type: ignore[dict-item] # the mistake under test


@pytest.mark.parametrize("event", [[], "a", None, 1])
def test_only_a_mapping_is_an_event(event: Any) -> None:  # noqa: ANN401 - the mistake under test
    with pytest.raises(InvalidEvent, match="object"):
        encode(event)


def test_nesting_is_taken_to_the_limit_and_refused_beyond() -> None:
    at_the_limit = nested(MAX_DEPTH)

    assert decode(encode(at_the_limit)) == at_the_limit
    with pytest.raises(InvalidEvent, match="deep"):
        encode(nested(MAX_DEPTH + 1))
    with pytest.raises(InvalidEvent, match="deep"):
        decode(json.dumps(nested(MAX_DEPTH + 1)).encode())


def test_absurd_nesting_a_cycle_and_a_bomb_are_refused_and_do_no_harm() -> None:
    cycle: dict[str, Any] = {}
    cycle["again"] = cycle
    bomb: Any = "x"
    for _ in range(MAX_DEPTH - 2):
        bomb = [bomb] * 50

    for event in (nested(100_000), cycle, {"a": bomb}, {"a": bomb, "b": {1: 1}}):
        with pytest.raises(InvalidEvent):
            encode(event)


def test_an_event_may_have_64_kilobytes_and_no_byte_more() -> None:
    empty = len(encode({"a": ""}))
    fits = {"a": "x" * (MAX_EVENT_BYTES - empty)}

    assert len(encode(fits)) == MAX_EVENT_BYTES
    assert decode(encode(fits)) == fits
    with pytest.raises(InvalidEvent, match="larger"):
        encode({"a": fits["a"] + "x"})
    with pytest.raises(InvalidEvent, match="larger"):
        decode(encode(fits) + b" ")


def test_as_many_values_as_fit_are_taken() -> None:
    event = {"a": [1] * ((MAX_EVENT_BYTES - len('{"a":[1]}')) // 2 + 1)}

    assert decode(encode(event)) == event


def test_an_event_is_left_as_it_was() -> None:
    event = {"a": (Decimal("1.0"), {"b": [1]}), "c": MappingProxyType({"d": 1})}

    encode(event)

    assert event == {"a": (Decimal("1.0"), {"b": [1]}), "c": MappingProxyType({"d": 1})}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"a"',
        b"null",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":[-Infinity]}',
        b'{"a":1e400}',
        b'{"a":-1e999}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\\ud800"}',
        b'{"a":["\\uDFFF"]}',
        b'{"\\ud83d":1}',
        b'{"a":1,"a":1}',
        b'{"a":[{"b":{"c":1,"c":2}}]}',
        b'{"a":1}{"a":1}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\x00"}',
        b'{"a":01}',
        b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: ascii(data[:24]),
)
def test_what_is_no_strict_json_object_is_no_event(data: bytes) -> None:
    with pytest.raises(InvalidEvent):
        decode(data)


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert decode(b'{"a":"\\ud83d\\ude00","b":"\\\\ud800"}') == {"a": "😀", "b": "\\ud800"}


@pytest.mark.parametrize(
    ("part", "times"), [(b"[", 100_000), (b"[", 60_000), (b'{"a":', 10_000), (b"[", 10_000_000), (b" ", 10_000_000)]
)
def test_hostile_bytes_are_refused_without_a_crash_and_without_a_copy(part: bytes, times: int) -> None:
    data = part * times
    tracemalloc.start()
    try:
        with pytest.raises(InvalidEvent):
            decode(data)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 2_000_000


def test_a_decode_error_holds_no_value() -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode(b'{"em":"john@example.com" x}')

    assert "john" not in str(caught.value)


def test_a_key_that_stands_twice_is_named_only_when_it_is_a_name() -> None:
    with pytest.raises(InvalidEvent, match="the key event_name stands twice"):
        decode(b'{"event_name":1,"event_name":2}')
    with pytest.raises(InvalidEvent) as caught:
        decode(b'{"john@example.com":1,"john@example.com":2}')

    assert "john" not in str(caught.value)
