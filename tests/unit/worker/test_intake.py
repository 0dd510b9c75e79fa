"""Which entries of a batch are sent, and what the dead letters of the others say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.hashing import sha256_hex
from tests.fakes.events import bad_events, lead, page_view, purchase
from worker.intake import Sendable, Sorted, bury, sort_entries
from worker.store import DeadEntry, Entry

NOW = 1_800_000_000
DAY = 86_400
META = b'{"v":1,"t":1799999999000}'


def entry_of(event: Any, meta: bytes = META) -> Entry:  # noqa: ANN401 - JSON, or bytes that are none
    return Entry("1799999999000-0", event if isinstance(event, bytes) else json.dumps(event).encode(), meta)


def sort(*events: Any, meta: bytes = META) -> Sorted:  # noqa: ANN401 - as above
    return sort_entries([entry_of(event, meta) for event in events], now_seconds=NOW)


def dead(event: Any, meta: bytes = META) -> tuple[DeadEntry, dict[str, Any]]:  # noqa: ANN401 - as above
    found = sort(event, meta=meta)
    assert found.good == ()
    (letter,) = found.dead
    return letter, json.loads(letter.record)


@pytest.mark.parametrize("make", [purchase, page_view, lead])
def test_a_valid_event_is_sent_as_it_is_stored(make: Any) -> None:  # noqa: ANN401 - a function of the fakes
    event = make("id-1", NOW - 10)

    assert sort(event) == Sorted(
        (Sendable(entry_of(event), NOW - 10, 1_799_999_999_000, event["event_name"], "id-1", event["action_source"]),),
        (),
    )


def test_an_event_without_an_id_is_sent_too() -> None:
    event = purchase(event_time=NOW)
    del event["event_id"]

    assert [item.event_id for item in sort(event).good] == [""]


def test_good_and_bad_are_told_apart_and_keep_their_order() -> None:
    events = [purchase("a", NOW), b"{", purchase("b", NOW), purchase("old", NOW - 8 * DAY), purchase("c", NOW)]
    found = sort(*events)

    assert [item.event_id for item in found.good] == ["a", "b", "c"]
    assert [item.door for item in found.dead] == ["undecodable", "expired"]


@pytest.mark.parametrize("name", sorted(bad_events()))
def test_what_meta_would_refuse_is_invalid_and_says_why(name: str) -> None:
    letter, record = dead(bad_events(NOW)[name])

    assert letter.door == "invalid"
    assert (record["reason"], record["attempts"]) == ("invalid", 0)
    assert record["fields"]


@pytest.mark.parametrize(
    "stored",
    [b"", b"{", b"\xff", b"[]", b'{"a":NaN}', b'{"a":1e400}', b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b"[" * 50_000],
    ids=["nothing", "torn", "no UTF-8", "list", "NaN", "1e400", "duplicate key", "half a character", "deep"],
)
def test_what_is_no_json_that_may_be_sent_is_undecodable_and_kept_as_it_is(stored: bytes) -> None:
    letter, record = dead(stored)

    assert (letter.door, letter.event) == ("undecodable", stored)
    assert record["fields"][0][1] == "undecodable"


@pytest.mark.parametrize("meta", [b"raw", b'{"t":1e400}', b"[" * 50_000], ids=["raw", "endless", "deep"])
def test_an_entry_whose_meta_is_not_ours_is_undecodable(meta: bytes) -> None:
    letter, record = dead(purchase(event_time=NOW), meta)

    assert letter.door == "undecodable"
    assert record["first_ms"] is None


def test_an_event_of_a_foreign_hand_without_meta_is_sent() -> None:
    assert [item.enqueued_ms for item in sort(purchase(event_time=NOW), meta=b"").good] == [1_799_999_999_000]


@pytest.mark.parametrize(
    ("age_seconds", "source", "doors"),
    [
        (7 * DAY - 400, "website", []),
        (7 * DAY, "website", ["expired"]),
        (61 * DAY, "physical_store", []),
        (62 * DAY, "physical_store", ["expired"]),
        (-30, "website", []),
        (-600, "website", ["invalid"]),
    ],
)
def test_events_too_old_and_from_the_future_are_not_sent(age_seconds: int, source: str, doors: list[str]) -> None:
    found = sort(purchase(event_time=NOW - age_seconds, action_source=source))

    assert [item.door for item in found.dead] == doors
    assert len(found.good) == (not doors)


def test_raw_personal_data_is_invalid_and_hashed_before_it_is_kept() -> None:
    letter, record = dead(purchase(event_time=NOW, user_data={"em": "Ada@Example.com", "ph": "+12025550123"}))
    kept = json.loads(letter.event)

    assert letter.door == "invalid"
    assert kept["user_data"]["em"] in (sha256_hex("ada@example.com"), [sha256_hex("ada@example.com")])
    assert [word for word in (b"da@", b"2025550123") if word in letter.event] == []
    assert "ada@" not in record["event_id"] + letter.record.lower()


def test_a_dead_letter_whose_hashes_are_longer_than_an_event_may_be_is_kept_whole() -> None:
    raw = {"em": [f"{n}@example.com" for n in range(3_000)]}
    event = purchase(event_time=NOW, user_data=raw, unknown="key")
    letter, _ = dead(event)

    assert len(letter.event) > 65_536
    assert b"@example.com" not in letter.event


def test_a_dead_letter_tells_fifty_problems_at_most() -> None:
    event = purchase(event_time=NOW) | {f"unknown_{n}": n for n in range(200)}
    _, record = dead(event)

    assert len(record["fields"]) == 50


def test_a_hashed_event_is_buried_with_its_own_bytes() -> None:
    entry = entry_of(purchase(event_time=NOW - 8 * DAY))

    assert bury(entry, "expired", json.loads(entry.event)).event == entry.event


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
event_like = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("event_name", "event_time", "event_id", "action_source", "user_data", "custom_data"), json_values
    ),
)


@given(st.lists(st.binary(max_size=40) | (json_values | event_like).map(lambda value: json.dumps(value).encode())))
def test_every_entry_comes_out_once_whatever_its_bytes_are(stored: list[bytes]) -> None:
    entries = [Entry(f"1-{n}", event, META) for n, event in enumerate(stored)]
    found = sort_entries(entries, now_seconds=NOW)
    out = [item.entry.id for item in found.good] + [item.entry.id for item in found.dead]

    assert sorted(out) == sorted(entry.id for entry in entries)
    assert all(json.loads(item.record)["reason"] == item.door for item in found.dead)
