"""The file that ``send`` and ``validate`` read: JSON in its forms, or CSV by its header or a mapping."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import click

from worker.cli.csv_events import CsvFile
from worker.cli.csv_mapping import CsvMapping, MappingError, read_mapping
from worker.cli.event_files import EventFile

Source = EventFile | CsvFile
Format = Literal["json", "csv"]
_Command = TypeVar("_Command", bound=Callable[..., Any])

_CSV_ENDINGS = (".csv", ".tsv")


def source_options(command: _Command) -> _Command:
    """Add the options that say how to read FILE."""
    command = click.option(
        "--mapping",
        "mapping_path",
        type=click.Path(dir_okay=False, exists=True, path_type=Path),
        help="TOML file that says what the columns of a CSV file are.",
    )(command)
    return click.option(
        "--format",
        "file_format",
        type=click.Choice(["json", "csv"]),
        help="How FILE is written; default: csv with --mapping or a name ending in .csv or .tsv, else json.",
    )(command)


def open_source(file: BinaryIO, file_format: Format | None, mapping_path: Path | None) -> Source:
    """Return the events of the file; a mapping that is not right is a misuse."""
    if mapping_path is not None and file_format == "json":
        raise click.UsageError("--mapping is for CSV: leave out --format json")
    is_csv = mapping_path is not None or str(getattr(file, "name", "")).lower().endswith(_CSV_ENDINGS)
    if (file_format or ("csv" if is_csv else "json")) == "json":
        return EventFile(file)
    try:
        return CsvFile(file, read_mapping(mapping_path) if mapping_path else CsvMapping())
    except MappingError as error:
        raise click.UsageError(f"--mapping {mapping_path}: {error}") from None
