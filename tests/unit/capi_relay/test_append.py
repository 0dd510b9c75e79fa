"""The bytes of an append: what Redis reads out of them is the call of append.lua, word by word."""

import hashlib
from pathlib import Path

import pytest

import capi_relay
from capi_relay import keys
from capi_relay.append import Append, Limits, command

SCRIPT = (Path(capi_relay.__file__).parent / "scripts" / "append.lua").read_bytes()
LIMITS = Limits(full_events=1000, lane_cap=10_000, cap_bytes=77)


def words_of(data: bytes) -> list[bytes]:
    """Read a command as the protocol says: so many words, each with its length before it."""
    count, _, rest = data.removeprefix(b"*").partition(b"\r\n")
    words = []
    while rest:
        length, _, rest = rest.removeprefix(b"$").partition(b"\r\n")
        words.append(rest[: int(length)])
        assert rest[int(length) : int(length) + 2] == b"\r\n"
        rest = rest[int(length) + 2 :]
    assert len(words) == int(count)
    return words


def test_a_command_may_hold_text_bytes_and_numbers() -> None:
    assert words_of(command("SET", "ключ", b"\r\n$3\r\n", 7)) == [b"SET", "ключ".encode(), b"\r\n$3\r\n", b"7"]


def test_the_events_of_each_lane_follow_its_name_and_their_number() -> None:
    work = Append("42", "c0ffee", 5000, {"0": [(b"a", b"}"), (b"b\r\n", b',"w":[]}')], "late": [(b"", b"}")]})
    words = words_of(work.command(3, LIMITS))
    names = [
        keys.call(3, "c0ffee"),
        *(keys.due(3), keys.held(3), keys.size(3), keys.datasets(3)),
        *(keys.lanes(3, "42"), keys.counters(3, "42")),
        *(keys.stream(3, "42/0"), keys.stream(3, "42/late")),
    ]

    assert words[:3] == [b"EVALSHA", hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest().encode(), b"9"]
    assert words[3:12] == [name.encode() for name in names]
    assert words[12:18] == [b"42", b"5000", b"1000", b"10000", b"77", b"2"]
    assert words[18:24] == [b"42/0", b"2", b"a", b"}", b"b\r\n", b',"w":[]}']
    assert words[24:] == [b"42/late", b"1", b"", b"}"]


def test_the_script_is_sent_along_where_the_server_does_not_know_it() -> None:
    work = Append("42", "c0ffee", 5000, {"0": [(b"a", b"}")]})
    known, unknown = words_of(work.command(0, LIMITS)), words_of(work.command(0, LIMITS, load=True))

    assert unknown == [b"EVAL", SCRIPT, *known[2:]]


@pytest.mark.parametrize(
    "other",
    [Append("42", "id", 1), Append("43", "id", 0)],
    ids=["another linger", "another dataset"],
)
def test_no_call_takes_over_what_another_said(other: Append) -> None:
    work = Append("42", "id", 0)
    first = work.command(0, LIMITS)

    assert other.command(0, LIMITS) != first
    assert work.command(1, LIMITS) != first
    assert work.command(0, Limits(1000, 10_000, 78)) != first
    assert work.command(0, LIMITS) == first
