"""What all commands share towards the person at the terminal, or the program that reads them."""

import json
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TextIO

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.scrub import escape

# What is piped has no width: wide enough that no table of ours wraps.
_PIPED_WIDTH = 180
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Seconds(click.FloatRange):
    """A length of time on the command line; ``nan`` and ``inf`` are none."""

    name = "SECONDS"

    def __init__(self, at_least: float, *, at_most: float | None = None) -> None:
        super().__init__(min=at_least, max=at_most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's
        """Return the seconds, or refuse what is no such length."""
        seconds = float(super().convert(value, param, ctx))
        if not isfinite(seconds):  # click's range lets nan through
            self.fail("give a number of seconds", param, ctx)
        return seconds


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def out() -> Console:
    """Return the console for results."""
    return _console(sys.stdout, stderr=False)


def err() -> Console:
    """Return the console for progress and remarks, which no program reads."""
    return _console(sys.stderr, stderr=True)


def _console(stream: TextIO, *, stderr: bool) -> Console:
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def print_json(value: object) -> None:
    """Print one JSON value on stdout and nothing else."""
    click.echo(json.dumps(value, indent=2))


def table(*columns: str, right: Collection[int] = ()) -> Table:
    """Make a table with these columns; the numbered ones hold numbers. These, and the first, are never broken."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, name in enumerate(columns):
        if place in right:
            made.add_column(name, justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold", no_wrap=place == 0)
    return made


def safe(value: object) -> Text:
    """Return a foreign text for a table: no control character reaches the terminal, no markup is read."""
    return Text(escape("" if value is None else str(value)))


def number(value: int) -> str:
    """Write a number for people: ``12,345``."""
    return f"{value:,}"


def plain_or_grouped(value: int) -> str:
    """Write a number with separators on a terminal, and without them where a program may read along."""
    return number(value) if sys.stdout.isatty() else str(value)


def duration(seconds: float | None) -> str:
    """Write how long something takes in its two largest units: ``3 min 5 s``."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def percent(share: float | None) -> str:
    """Write a share, never rounded up to a whole that it is not."""
    return "-" if share is None else f"{int(share * 1000) / 10:g} %"


def iso(ms: int | None) -> str | None:
    """Write a time of the store for programs: UTC, ISO 8601."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> str:
    """Write an ISO 8601 time for people: UTC, without the fraction."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def doors_text(doors: Mapping[str, int]) -> str:
    """Write counts by name, the empty ones left out: ``invalid 3, rejected 1``."""
    return ", ".join(f"{name} {number(count)}" for name, count in doors.items() if count) or "-"
