"""``dead export``: dead letters with their events in a file, as JSON lines or as a table that no spreadsheet runs."""

import csv
import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Literal, TextIO

from worker.cli.dead_selection import content_of
from worker.dead_letters import DeadLetter
from worker.scrub import escape
from worker.store import StoredDeadLetter

Format = Literal["jsonl", "csv"]
Letters = Iterable[tuple[StoredDeadLetter, DeadLetter]]

# A spreadsheet takes a cell that begins so for a formula, and a formula may send the rest of the table away.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = (*(each.name for each in fields(DeadLetter)), "event")


def export(letters: Letters, target: TextIO, form: Format) -> int:
    """Write dead letters; return how many there were."""
    return (_write_csv if form == "csv" else _write_lines)(letters, target)


def cell_of(value: object) -> str:
    """Return a cell's text that every spreadsheet takes for text, and that does nothing to a terminal."""
    text = "" if value is None else escape(str(value), keep="\t\r\n")
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_lines(letters: Letters, target: TextIO) -> int:
    count = 0
    for stored, letter in letters:
        target.write(json.dumps({**letter.as_json(), **content_of(stored, letter)}) + "\n")
        count += 1
    return count


def _write_csv(letters: Letters, target: TextIO) -> int:
    writer = csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(_COLUMNS)
    count = 0
    for stored, letter in letters:
        writer.writerow(map(cell_of, _row(letter, content_of(stored, letter))))
        count += 1
    return count


def _row(letter: DeadLetter, content: dict[str, Any]) -> list[object]:
    """Return the cells; what is no event that can be shown stands there by size and digest."""
    told = content.get("event", content)
    return [*letter.as_json().values(), json.dumps(told, ensure_ascii=False)]
