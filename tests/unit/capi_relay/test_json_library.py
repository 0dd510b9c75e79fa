"""The extra capi-relay[fast]: events are written, refused and explained alike with it and without."""

import json
import math
import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from unittest.mock import patch
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import json_library
from capi_relay.errors import InvalidEvent
from capi_relay.wire import MAX_DEPTH, encode
from tests.fakes.events import mixed

_EXPONENT = re.compile(rb"e([+-]?)0*(\d)")


class _Text(str):
    __slots__ = ()


class _Source(StrEnum):
    WEBSITE = "website"


class _Count(IntEnum):
    TWO = 2


class _Kind(Enum):
    SHOP = "shop"


@dataclass
class _Product:
    price: int


@dataclass
class _Row(Mapping[str, int]):
    email: str
    entries: dict[str, int]

    def __getitem__(self, key: str) -> int:
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


_Pair = namedtuple("_Pair", "a b")  # noqa: PYI024 - the untyped kind, as an app may have it
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(),
    st.datetimes(),
    st.uuids(),
    st.integers(min_value=2**62, max_value=2**65),
    st.sampled_from([_Source.WEBSITE, _Count.TWO, _Kind.SHOP, _Text("a"), _Product(1), _Pair(1, 2), True, "null", ""]),
)
ITS_OWN_WAY: list[object] = [
    *(math.nan, math.inf, -math.inf, [math.nan], None, [None], "null"),
    *(2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**4300, Decimal("19.99"), Decimal("NaN")),
    _Row("ada@example.com", {"a": 1}),
    *("\ud800", '\x00\x1f\x7f\u2028"\\/', _Text("a"), _Source.WEBSITE, _Count.TWO, _Kind.SHOP, True),
    *(UUID(int=7), datetime(2026, 11, 22, tzinfo=UTC), _Product(1), _Pair(1, 2), b"a", orjson.Fragment(b"{")),
    *({1: 2}, {None: 1}, {_Text("a"): 1}, {"\ud800": 1}, OrderedDict(a=1), MappingProxyType({"a": (1, [2])})),
]
_KEYS = st.text() | st.integers() | st.none() | st.sampled_from([_Text("a"), _Source.WEBSITE])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(_KEYS, inner),
        st.dictionaries(st.text(), inner).map(OrderedDict),
        st.dictionaries(st.text(), inner).map(MappingProxyType),
    ),
    max_leaves=4,
)


def _outcome(write: Callable[[dict[str, Any]], bytes], event: dict[str, Any]) -> bytes | str:
    try:
        return _EXPONENT.sub(rb"e\1\2", write(event))  # 1e-07 and 1e-7
    except InvalidEvent as error:
        return str(error)


def _plainly(event: dict[str, Any]) -> bytes:
    with patch.object(json_library, "_library", None):
        return encode(event)


@given(event=st.dictionaries(_KEYS, _VALUES, max_size=3))
def test_any_event_is_written_or_refused_as_without_the_library(event: dict[Any, Any]) -> None:
    assert _outcome(encode, event) == _outcome(_plainly, event)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_the_same_number(number: float) -> None:
    assert json.loads(encode({"a": number})) == {"a": number}


def test_what_the_library_treats_in_its_own_way_is_written_by_our_rules() -> None:
    for value in ITS_OWN_WAY:
        for event in ({"a": value}, {"a": [{"b": value}]}):
            assert _outcome(encode, event) == _outcome(_plainly, event)


def test_depth_and_sheer_number_are_refused_before_the_library_is_asked() -> None:
    bomb: Any = "x"
    for _ in range(MAX_DEPTH - 2):
        bomb = [bomb] * 50
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]

    for event in ({"a": bomb}, {"a": deep}):
        assert isinstance(_outcome(encode, event), str)
        assert _outcome(encode, event) == _outcome(_plainly, event)


def test_ordinary_events_do_take_the_library_and_come_out_byte_for_byte_the_same() -> None:
    for event in mixed(50, seed=3):
        assert json_library.write(event) == _plainly(event) == encode(event)
