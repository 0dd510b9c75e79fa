"""Which dead letters a command means: the options that ``dead list, groups, replay, purge, export`` share."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import click

from worker.cli.opening import DATASET_ID
from worker.dead_groups import cause_of, problems_of_letter
from worker.dead_letters import DeadLetter
from worker.store import StoredDeadLetter

REASONS = ("invalid", "rejected", "expired", "undecodable", "crashed", "parked")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on a dead letter, all of which must hold; None: any."""

    dataset_id: str | None = None
    reason: str | None = None
    code: str | None = None
    """Meta's code or subcode, or our code of a field's problem."""
    event_name: str | None = None
    since_ms: int | None = None
    """When it became a dead letter."""
    until_ms: int | None = None
    field: str | None = None
    """The path of a field that is to blame, or of the object it lies in."""

    @property
    def given(self) -> bool:
        """Say whether there is any condition."""
        return self != Filter()

    def takes(self, stored: StoredDeadLetter, letter: DeadLetter) -> bool:
        """Say whether the conditions hold; the dataset is looked at by who reads."""
        at_ms = int(stored.id.partition("-")[0])
        if self.reason not in (None, letter.reason) or self.event_name not in (None, letter.event_name):
            return False
        if at_ms < (self.since_ms or 0) or (self.until_ms is not None and at_ms >= self.until_ms):
            return False
        if self.code is None and self.field is None:
            return True
        problems = problems_of_letter(stored)
        codes = {str(letter.code), str(letter.subcode), *(problem.code for problem in problems)}
        fields = [path for path, _ in cause_of(letter, problems, most=len(problems)).fields]
        return (self.code is None or self.code in codes) and (
            self.field is None or any(_is_in(path, self.field) for path in fields)
        )


class Moment(click.ParamType[int]):
    """A time on the command line: ISO 8601, or how long ago."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's
        """Return Unix milliseconds, or refuse what is no time."""
        if isinstance(value, int):
            return value
        try:
            return moment_ms(str(value), now_seconds=time.time())
        except (ValueError, OverflowError):
            self.fail("write 2h (ago), 30m, 7d, or a time such as 2026-01-31T09:00 (UTC)", param, ctx)


def moment_ms(text: str, *, now_seconds: float) -> int:
    """Return Unix milliseconds; without a zone it is UTC.

    Raises:
        ValueError: it is no time.
    """
    if ago := re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII):
        return int((now_seconds - int(ago[1]) * _UNIT_SECONDS[ago[2]]) * 1000)
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


dataset_option = click.option("--dataset", "dataset_id", type=DATASET_ID, help="Of this dataset only.")
_OPTIONS = (
    dataset_option,
    click.option("--reason", type=click.Choice(REASONS), help="Of this reason only."),
    click.option("--code", metavar="CODE", help="With this code or subcode of Meta's, or code of a field's problem."),
    click.option("--event-name", metavar="NAME", help="Of events with this event_name."),
    click.option("--since", "since_ms", type=Moment(), help="Dead since then or later: 2h (ago), or ISO 8601."),
    click.option("--until", "until_ms", type=Moment(), help="Dead before then."),
    click.option("--field", metavar="PATH", help="Where this field is to blame: user_data.em, or user_data."),
)


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command is given them as ``where``."""

    @wraps(command)
    def collected(
        *,
        dataset_id: str | None,
        reason: str | None,
        code: str | None,
        event_name: str | None,
        since_ms: int | None,
        until_ms: int | None,
        field: str | None,
        **others: Any,  # noqa: ANN401 - those of the command
    ) -> None:
        where = Filter(dataset_id, reason, code, event_name, since_ms, until_ms, field)
        command(where=where, **others)

    found: Callable[..., None] = collected
    for option in reversed(_OPTIONS):
        found = option(found)
    return found


def _is_in(path: str, wanted: str) -> bool:
    wanted = re.sub(r"\[\d*\]", "[]", wanted)
    return path == wanted or path.startswith((f"{wanted}.", f"{wanted}["))
