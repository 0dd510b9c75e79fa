"""What the columns of a CSV file mean: by Meta's names in its header, or by a mapping file. Pure but for reading it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from worker.cli.csv_times import FORMATS, RowError, Times
from worker.cli.event_path import PATHS, TIMES, PathError, path_of, set_at, value_of
from worker.cli.event_path import Path as EventPath
from worker.cli.opening import is_dataset_id
from worker.scrub import escape, redact

REMARKS: Final = ("rejected_line", "rejected_codes", "rejected_reason")
"""Columns that ``send --rejects`` puts in front: not read."""
_DATASET: Final = "dataset_id"
_NOW: Final = "now"
_TABLES: Final = {"columns": dict, "constants": dict, "times": dict, "delimiter": str, "decimal_comma": bool}
_TIME_KEYS: Final = frozenset({"format", "timezone"})
_SHOWN_COLUMNS: Final = 20


class MappingError(ValueError):
    """The mapping, or the file's header, is not right; the message says what to change."""


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """Which column goes where, what is the same in all rows, how times are written."""

    columns: Mapping[str, tuple[str, ...]] | None = None
    """Column -> paths; None: the header has Meta's names."""
    constants: Mapping[str, Any] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    delimiter: str = ""
    """Empty: found out from the header."""
    decimal_comma: bool = False


class Columns:
    """A mapping on the header of one file: turns rows into events."""

    def __init__(self, mapping: CsvMapping, header: Sequence[str]) -> None:
        """Compare both.

        Raises:
            MappingError: a column is missing, twice there or unknown, or nothing says an event's name or time.
        """
        self.width = len(header)
        self._mapping = mapping
        self._constants = [(path, _parsed(path), value) for path, value in mapping.constants.items()]
        self._cells: list[tuple[int, str, EventPath]] = []
        seen: set[str] = set()
        for place, path in _targets(mapping, header):
            if path in seen:
                raise MappingError(f"two columns are {path}")
            seen.add(path)
            self._cells.append((place, path, _parsed(path)))
        for needed in ("event_name", "event_time"):
            if not seen & {needed} and needed not in mapping.constants:
                hint = ' ("now": the time of sending)' if needed == "event_time" else ""
                raise MappingError(
                    f"nothing says {needed}: no column is it, and [constants] of a mapping does not{hint}"
                )
        self.has_ids = bool(seen & {"event_id"})

    def event(self, cells: Sequence[str], *, now: int) -> tuple[dict[str, Any], str | None]:
        """Return a row's event and its own dataset; raises RowError. Empty cells say nothing."""
        if len(cells) != self.width:
            raise RowError("wrong_cells", f"the row has {len(cells)} cells, the header {self.width}")
        event: dict[str, Any] = {}
        dataset_id: str | None = None
        try:
            for path, place, value in self._constants:
                set_at(event, place, now if path in TIMES and value == _NOW else value)
            for index, path, place in self._cells:
                text = cells[index].strip()
                if not text:
                    continue
                if path == _DATASET:
                    dataset_id = text
                elif path in TIMES:
                    set_at(event, place, self._mapping.times.seconds(text))
                else:
                    set_at(event, place, value_of(path, text, decimal_comma=self._mapping.decimal_comma))
        except PathError as error:
            raise RowError("bad_place", str(error)) from None
        if dataset_id is not None and not is_dataset_id(dataset_id):
            raise RowError("bad_dataset_id", "dataset_id is not the dataset's number: 1 to 32 digits")
        if "event_time" not in event:  # the producer would take now for it, and an old sale would look new
            raise RowError("missing_time", "event_time is empty")
        return event, dataset_id


def read_mapping(path: Path) -> CsvMapping:
    """Read a mapping file.

    Raises:
        MappingError: it is not right.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MappingError(f"it cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"it is no TOML: {str(error)[:200]}") from None
    for key, value in table.items():
        if key not in _TABLES:
            raise MappingError(f"it has a key {key}, which is none of {', '.join(_TABLES)}")
        if not isinstance(value, _TABLES[key]):
            raise MappingError(f"{key} has the wrong type")
    delimiter = table.get("delimiter", "")
    if len(delimiter) > 1:
        raise MappingError("delimiter is one character")
    columns = {name: _paths_of(name, value) for name, value in table.get("columns", {}).items()}
    constants = table.get("constants", {})
    for target in constants:
        if target == _DATASET:
            raise MappingError("dataset_id is no constant: say --dataset, or give it a column")
        _parsed(target)
    return CsvMapping(
        columns or None, constants, _times(table.get("times", {})), delimiter, table.get("decimal_comma", False)
    )


def _paths_of(column: str, value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    paths = [path for path in listed if isinstance(path, str)]
    if not paths or len(paths) < len(listed):
        raise MappingError(f"column {column}: write a path such as user_data.em, or a list of paths")
    for path in paths:
        _parsed(path)
    return tuple(paths)


def _times(table: Mapping[str, Any]) -> Times:
    if unknown := set(table) - _TIME_KEYS:
        raise MappingError(f"[times] has a key {min(unknown)}, which is none of {', '.join(sorted(_TIME_KEYS))}")
    written, name = table.get("format", "auto"), table.get("timezone")
    if not isinstance(written, str) or not ("%" in written or written in FORMATS):
        raise MappingError("[times] format is auto, unix, unix_ms, iso, or such as %d.%m.%Y %H:%M")
    if name is None:
        return Times(written)
    try:
        return Times(written, UTC if name == "UTC" else ZoneInfo(name))
    except (ValueError, OSError, KeyError, TypeError):  # what zoneinfo raises is one of these
        raise MappingError("[times] timezone is a name such as Europe/Berlin or UTC") from None


def _parsed(path: str) -> EventPath:
    if path == _DATASET:
        return (_DATASET,)
    try:
        return path_of(path)
    except PathError as error:
        raise MappingError(str(error)) from None


def _targets(mapping: CsvMapping, header: Sequence[str]) -> list[tuple[int, str]]:
    """Return the place of each column that is used, with its path."""
    used = [name for name in header if name and name not in REMARKS]
    if mapping.columns is not None:
        used = [name for name in used if name in mapping.columns]
    if twice := next((name for name in used if used.count(name) > 1), ""):
        raise MappingError(f"the header has the column {_shown(twice)} twice")
    places = {name: header.index(name) for name in used}
    if mapping.columns is None:
        return [(place, _path_of_name(name)) for name, place in places.items()]
    if missing := [name for name in mapping.columns if name not in places]:
        found = ", ".join(map(_shown, header[:_SHOWN_COLUMNS]))
        raise MappingError(f"the file has no column {', '.join(missing)}; its columns are: {found}")
    return [(places[name], path) for name, paths in mapping.columns.items() for path in paths]


def _path_of_name(name: str) -> str:
    """Return the path that a header means by itself: a whole path, or the last part of exactly one."""
    found = [path for path in (*PATHS, _DATASET) if name in (path, path.rpartition(".")[2])]
    if name in found:
        return name
    if len(found) == 1:
        return found[0]
    if not found and "." in name:
        try:
            path_of(name)
        except PathError:
            pass
        else:
            return name
    raise MappingError(f"the column {_shown(name)} is none of Meta's names: say with --mapping what the columns are")


def _shown(name: str) -> str:
    """Write a column's name; where the header is missing it is data."""
    return redact(escape(name[:60])) or "(empty)"
