"""The record that explains a dead letter, written and read."""

import json
from typing import Any

import pytest

from schemas import Problem
from worker.dead_letters import DeadLetter, read_letter, record_of
from worker.store import StoredDeadLetter


def stored(record: str) -> StoredDeadLetter:
    return StoredDeadLetter("1700000060000-0", "1001", b"{}", b"{}", record.encode())


def test_a_rejected_event_tells_what_meta_said_and_what_to_do() -> None:
    record = record_of(
        reason="rejected",
        event={"event_id": "order-1", "event_name": "Purchase"},
        enqueued_ms=1_700_000_000_000,
        attempts=3,
        code=100,
        subcode=2804009,
        title="Missing Value",
        fbtrace_id="Abc",
    )
    letter = read_letter(stored(record))

    assert letter == DeadLetter(
        id="1700000060000-0",
        dataset_id="1001",
        event_id="order-1",
        event_name="Purchase",
        reason="rejected",
        code=100,
        subcode=2804009,
        fbtrace_id="Abc",
        attempts=3,
        first_at="2023-11-14T22:13:20.000+00:00",
        last_at="2023-11-14T22:14:20.000+00:00",
        cause=letter.cause,
        fix=letter.fix,
    )
    assert "Purchase has no value" in letter.cause
    assert "custom_data.value" in letter.fix


def test_the_json_of_a_dead_letter_has_the_contracts_keys() -> None:
    names = "id dataset_id event_id event_name reason code subcode fbtrace_id attempts first_at last_at cause fix"

    assert list(read_letter(stored("{}")).as_json()) == names.split()


def test_an_invalid_event_names_the_fields() -> None:
    problem = Problem("custom_data.value", "missing", "give a value")
    letter = read_letter(
        stored(record_of(reason="invalid", event={}, enqueued_ms=5, attempts=0, fields=[problem, problem]))
    )

    assert "custom_data.value: give a value" in letter.cause + letter.fix


@pytest.mark.parametrize("door", ["invalid", "rejected", "expired", "undecodable", "crashed", "parked"])
def test_every_door_that_keeps_its_events_explains_itself(door: str) -> None:
    letter = read_letter(stored(record_of(reason=door, event=None, enqueued_ms=None, attempts=0)))

    assert letter.reason == door
    assert letter.cause
    assert letter.fix
    assert letter.first_at == letter.last_at


@pytest.mark.parametrize("value", [None, 5, ["x"], {"a": 1}, "x" * 1000])
def test_names_are_short_texts_whatever_the_event_holds(value: Any) -> None:  # noqa: ANN401 - JSON
    record = json.loads(
        record_of(
            reason="invalid", event={"event_id": value, "event_name": value}, enqueued_ms=5, attempts=0, fields=()
        )
    )

    assert record["event_id"] == record["event_name"] == ("x" * 100 if isinstance(value, str) else "")


def test_a_record_holds_nothing_else_of_the_event() -> None:
    event = {"event_id": "1", "event_name": "Lead", "user_data": {"em": "secret"}, "custom_data": {"note": "secret"}}

    assert "secret" not in record_of(reason="invalid", event=event, enqueued_ms=5, attempts=0)
