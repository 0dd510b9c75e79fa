import csv
import io

import pytest

from worker.cli.dead_export import cell_of, export
from worker.dead_letters import read_letter, record_of
from worker.store import StoredDeadLetter


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_begins_like_a_formula(first: str) -> None:
    assert cell_of(f'{first}HYPERLINK("https://evil.example")') == f'\'{first}HYPERLINK("https://evil.example")'


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (100, "100"), (-5, "'-5"), ("a=b", "a=b"), ("", ""), ("'quoted", "'quoted")]
)
def test_other_cells_stay_as_they_are(value: object, text: str) -> None:
    assert cell_of(value) == text


def test_no_cell_does_anything_to_a_terminal_that_shows_the_table() -> None:
    assert cell_of("\x1b]0;owned\x07 \x9b31m \u202eevil") == r"\x1b]0;owned\x07 \x9b31m \u202eevil"


def test_every_cell_is_quoted_and_a_row_stays_one_row() -> None:
    event = {"event_id": '=1+1","x', "event_name": "@SUM(A1)\nnext"}
    record = record_of(reason="invalid", event=event, enqueued_ms=1, attempts=0)
    stored = StoredDeadLetter("1764000000000-0", "123", b'{"event_name": "Lead"}', b"", record.encode())
    target = io.StringIO()
    count = export([(stored, read_letter(stored))], target, "csv")
    header, row = csv.reader(io.StringIO(target.getvalue(), newline=""))
    told = dict(zip(header, row, strict=True))

    assert count == 1
    assert told["event_id"] == '\'=1+1","x'
    assert told["event_name"] == "'@SUM(A1)\nnext"
    assert told["event"] == '{"event_name": "Lead"}'
    assert all(line.startswith('"') for line in target.getvalue().split("\n") if line and not line.startswith("next"))
