"""What is added to a stored event, read back from whatever bytes lie there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.meta import FORMAT, Meta, read_meta
from worker.store import Entry


def read(meta: bytes, entry_id: str = "1700000000000-0") -> Meta | None:
    return read_meta(Entry(entry_id, b"{}", meta))


@given(
    st.builds(
        Meta,
        enqueued_ms=st.integers(0, 4_102_444_799_999),
        warnings=st.lists(st.text()).map(tuple),
        replays=st.integers(0, 99),
    ),
)
def test_what_was_written_is_read_back(meta: Meta) -> None:
    assert read(meta.to_bytes()) == meta


def test_the_version_stands_first_where_the_lease_script_looks_for_it() -> None:
    assert Meta(5, ("w",), 2).to_bytes().startswith(b'{"v":%d,' % FORMAT)


def test_what_the_append_script_writes_is_understood() -> None:
    assert read(b'{"v":1,"t":1700000000123,"w": ["user_data.em: left out"]}') == Meta(
        1_700_000_000_123, ("user_data.em: left out",)
    )


def test_an_entry_without_meta_was_enqueued_when_redis_says() -> None:
    assert read(b"") == Meta(1_700_000_000_000)


@pytest.mark.parametrize(
    "meta",
    [
        b"raw",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        b'{"t":null}',
        b'{"t":[1]}',
        b'{"t":1e400}',
        b'{"t":NaN}',
        b'{"t":1' + b"0" * 400 + b"}",
        b'{"t":-1}',
        b'{"t":5,"w":7}',
        b'{"t":5,"n":1e400}',
        b"[" * 100_000,
    ],
    ids=lambda meta: meta[:12].decode(errors="replace"),
)
def test_what_is_no_meta_of_ours_is_told_not_raised(meta: bytes) -> None:
    assert read(meta) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists) | st.none())
def test_no_json_value_raises(value: object) -> None:
    for meta in (value, {"t": value}, {"t": 5, "w": value}, {"t": 5, "n": value}):
        found = read(json.dumps(meta).encode())

        assert found is None or 0 <= found.enqueued_ms < 4_102_444_800_000
