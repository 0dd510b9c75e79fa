import io
import json
from itertools import islice

import pytest

from worker.cli.event_files import EventFile, Found
from worker.cli.json_document import UnreadableDocumentError

ONE = {"event_name": "Lead", "event_id": "1"}
TWO = {"event_name": "Purchase", "event_id": "2"}
LINES = f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n"


class Endless(io.BytesIO):
    """A file whose lines never end, and which nobody can read as a whole."""

    def readline(self, size: int | None = -1, /) -> bytes:
        return json.dumps(ONE).encode()[:size] + b"\n"

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(size)


def read(text: str | bytes) -> list[Found]:
    return list(EventFile(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def events_in(text: str | bytes) -> list[object]:
    return [found.event for found in read(text)]


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        LINES.rstrip(),
        LINES.replace("\n", "\r\n"),
        f"\n\n{LINES}\n",
        f"\ufeff{LINES}",
        json.dumps([ONE, TWO]),
        json.dumps([ONE, TWO], indent=2),
        json.dumps({"data": [ONE, TWO]}),
        json.dumps({"partner_agent": "x", "data": [ONE, TWO]}, indent=2),
        f"\ufeff\n{json.dumps([ONE, TWO])}\n\n",
        f"{json.dumps(ONE, indent=1)}\n{json.dumps(TWO, indent=1)}\n",
    ],
)
def test_the_same_events_are_read_from_every_form_of_file(text: str) -> None:
    assert events_in(text) == [ONE, TWO]


@pytest.mark.parametrize("text", ["", "\n \n", "[]", '{"data": []}'])
def test_an_empty_file_holds_no_event(text: str) -> None:
    assert read(text) == []


def test_a_single_event_needs_no_array() -> None:
    assert events_in(json.dumps(ONE)) == [ONE]


def test_events_are_numbered_and_blank_lines_are_not() -> None:
    assert [(found.number, found.line) for found in read(f"\n{LINES}\n{LINES}")] == [(1, 2), (2, 3), (3, 5), (4, 6)]


def test_lines_are_read_one_by_one_so_a_file_may_be_larger_than_memory() -> None:
    file = EventFile(Endless())

    assert [found.line for found in islice(file, 3)] == [1, 2, 3]
    assert file.position < 1000


def test_a_wrapped_event_says_its_own_dataset() -> None:
    (found,) = read(json.dumps({"dataset_id": "123", "event": ONE}))

    assert (found.dataset_id, found.event) == ("123", ONE)


def test_what_else_stands_in_a_wrapping_does_not_matter() -> None:
    (found,) = read(json.dumps({"dataset_id": "123", "reason": "rejected", "event": ONE}))

    assert (found.dataset_id, found.event) == ("123", ONE)


@pytest.mark.parametrize("wrapped", [{"dataset_id": 123, "event": ONE}, {"dataset_id": "12 3", "event": ONE}])
def test_a_wrapping_without_a_proper_id_is_refused(wrapped: dict[str, object]) -> None:
    (found,) = read(json.dumps(wrapped))

    assert found.event is None
    assert "dataset_id" in found.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"event_name": "Lead", "event_name": "Lead"}', "stands twice"),
        (b'{"value": NaN}', "NaN is no JSON"),
        (b'{"value": 1e999}', "larger than a float"),
        (b'{"text": "\\ud800"}', "half a character"),
        (b'{"text": "\xff"}', "no UTF-8"),
        (b"[1, 2]", "JSON object"),
        (b"hello", "no JSON"),
        (b'{"dataset_id": "1", "event": 5}', "event is no JSON object"),
        (b'{"text": "' + b"x" * 70_000 + b'"}', "larger than 65536 bytes"),
        (b"x" * 400_000, "larger than 65536 bytes"),
    ],
)
def test_a_line_that_is_no_event_is_named_and_the_others_are_read(line: bytes, reason: str) -> None:
    first, bad, last = read(json.dumps(ONE).encode() + b"\n" + line + b"\n" + json.dumps(TWO).encode())

    assert (first.event, last.event, last.line) == (ONE, TWO, 3)
    assert (bad.event, bad.line) == (None, 2)
    assert reason in bad.reason


@pytest.mark.parametrize(
    "event", [b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": "\xff"}', b'{"a": ' + b"9" * 5000 + b"}", b"7"]
)
def test_one_bad_event_of_an_array_spoils_no_other(event: bytes) -> None:
    first, bad, last = read(b"[" + json.dumps(ONE).encode() + b",\n" + event + b", " + json.dumps(TWO).encode() + b"]")

    assert (first.event, bad.event, last.event) == (ONE, None, TWO)
    assert bad.reason


def test_a_broken_array_yields_nothing_at_all() -> None:
    with pytest.raises(UnreadableDocumentError):
        next(iter(EventFile(io.BytesIO(json.dumps([ONE, TWO]).encode()[:-1]))))


def test_a_test_event_code_beside_data_is_noticed() -> None:
    file = EventFile(io.BytesIO(b'{"data": [], "test_event_code": "TEST1"}'))
    list(file)

    assert file.says_test_event_code


def test_no_reason_repeats_what_stands_in_the_file() -> None:
    reasons = [
        found.reason for found in read('{"ada@example.com": 1, "ada@example.com": 2}\n{"em": "ada@example.com}\n')
    ]

    assert all(reasons)
    assert "ada" not in "".join(reasons)
