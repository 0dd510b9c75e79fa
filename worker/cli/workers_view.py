"""What both views of ``status`` say of the workers: which of them do not reach Meta. Pure."""

from collections.abc import Iterable
from math import ceil

from worker.cli.console import duration, number
from worker.store import WorkerSign

_LISTED = 3


def unreached_lines(signs: Iterable[WorkerSign], *, now_ms: float) -> list[str]:
    """Return a line for each worker whose machine does not reach Meta, as of now; of many only the first."""
    cut_off = [sign for sign in signs if sign.unreached_since_ms]
    lines = [_line(sign, now_ms) for sign in cut_off[:_LISTED]]
    return [*lines, f"and from {number(len(cut_off) - _LISTED)} more workers"] if len(cut_off) > _LISTED else lines


def _line(sign: WorkerSign, now_ms: float) -> str:
    since = duration((now_ms - sign.unreached_since_ms) / 1000)
    left_ms = sign.next_try_ms - now_ms
    next_try = f"next try in {duration(ceil(left_ms / 1000))}" if left_ms > 0 else "next try is due"
    return f"No answer from Meta from {sign.name} for {since} ({sign.unreached_why}), {next_try}."
