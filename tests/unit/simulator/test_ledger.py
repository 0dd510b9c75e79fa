"""What the ledger remembers, and what a crash leaves of it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from simulator.ledger import Ledger, Origin, canonical


def event(event_id: str | None, name: str = "Lead") -> dict[str, Any]:
    return {"event_name": name, "event_time": 1} | ({} if event_id is None else {"event_id": event_id})


def origin(dataset: str = "123", request: int = 1) -> Origin:
    return Origin(dataset=dataset, token_fingerprint="0123456789ab", at=5.5, request=request)


def lines_of(ledger: Ledger, dataset: str | None = None, *, raw: bool = False) -> list[dict[str, Any]]:
    return [json.loads(line) for part in ledger.lines(dataset, raw=raw) for line in part.splitlines()]


def test_a_line_tells_where_an_event_came_from_and_what_it_was() -> None:
    ledger = Ledger()
    ledger.take(origin(), [event("a")])

    assert lines_of(ledger) == [
        {
            "dataset": "123",
            "token_fingerprint": "0123456789ab",
            "at": 5.5,
            "request": 1,
            "test_event_code": None,
            "partner_agent": None,
            "event_id": "a",
            "event_name": "Lead",
            "event_time": 1,
            "sha256": sha256(b'{"event_id":"a","event_name":"Lead","event_time":1}').hexdigest(),
        },
    ]


def test_raw_lines_hold_the_event_itself() -> None:
    ledger = Ledger()
    ledger.take(origin(), [event("a")])

    assert [line["event"] for line in lines_of(ledger, raw=True)] == [event("a")]


def test_lines_can_be_asked_for_one_dataset() -> None:
    ledger = Ledger()
    ledger.take(origin("123"), [event("a")])
    ledger.take(origin("456"), [event("b")])

    assert [line["event_id"] for line in lines_of(ledger, "456")] == ["b"]


def test_a_duplicate_has_the_same_dataset_name_and_id() -> None:
    ledger = Ledger()
    ledger.take(origin("123"), [event("a"), event("a"), event("a", "Purchase"), event("b")])
    ledger.take(origin("456"), [event("a")])

    assert ledger.summary()["duplicates"] == 1
    assert ledger.summary()["datasets"]["123"] == {"events": 4, "distinct": 3, "requests": 0}


def test_events_without_an_id_are_all_distinct() -> None:
    ledger = Ledger()
    ledger.take(origin(), [event(None), event(None)])

    assert ledger.summary()["duplicates"] == 0


def test_key_order_and_spaces_do_not_change_the_canonical_form() -> None:
    assert canonical(json.loads('{"b": [1, 2.0], "a": "é"}')) == '{"a":"é","b":[1,2.0]}'.encode()


@pytest.mark.parametrize("odd", [float("inf"), "\ud800"])
def test_an_event_without_a_canonical_form_keeps_its_whole_request_out(odd: float | str) -> None:
    ledger = Ledger()

    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        ledger.take(origin(), [event("a"), event("b") | {"custom_data": {"x": odd}}])
    assert ledger.summary() == Ledger().summary()


def test_a_cleared_ledger_is_as_new() -> None:
    ledger = Ledger()
    ledger.asked("123")
    ledger.take(origin(), [event("a")])
    ledger.clear()

    assert ledger.summary() == Ledger().summary()


def test_a_new_ledger_takes_up_the_events_of_the_file(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger")
    first.take(origin(request=first.asked("123")), [event("a"), event("b")])
    first.close()
    second = Ledger(tmp_path / "ledger")
    second.take(origin(request=second.asked("123")), [event("a")])
    second.close()

    assert [(line["event_id"], line["request"]) for line in lines_of(second)] == [("a", 1), ("b", 1), ("a", 2)]
    assert second.summary()["duplicates"] == 1


def test_a_line_that_a_crash_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    first = Ledger(path)
    first.take(origin(), [event("a"), event("b")])
    first.close()
    path.write_bytes(path.read_bytes()[:-10])
    second = Ledger(path)
    second.take(origin(), [event("c")])
    second.close()

    assert [line["event_id"] for line in map(json.loads, path.read_text().splitlines())] == ["a", "c"]


def test_clearing_empties_the_file_too(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.take(origin(), [event("a")])
    ledger.clear()
    ledger.close()

    assert (tmp_path / "ledger").read_bytes() == b""
