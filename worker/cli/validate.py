"""``validate``: say what Meta would refuse in a file's events, without sending anything."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import click

from capi_relay.datasets import DatasetFile
from capi_relay.errors import InvalidEvent
from capi_relay.producer import Producer
from capi_relay.wire import decode
from schemas import Problem, event_window, problems_of
from worker.cli.console import json_option, out, plain_or_grouped, print_json
from worker.cli.event_files import EventFile, Found
from worker.cli.json_document import UnreadableDocumentError
from worker.cli.opening import DATASET_ID, open_producer, prepared
from worker.scrub import escape
from worker.settings import load

_OUTSIDE = {
    "too_old": "event_time: it is older than Meta takes (7 days, 62 for physical_store)",
    "future": "event_time: it lies in the future",
}


@dataclass(frozen=True, slots=True)
class _Verdict:
    found: Found
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()


@click.command(
    "validate",
    short_help="Say what Meta would refuse, without sending.",
    epilog="Example: python -m worker validate events.jsonl",
)
@click.argument("file", type=click.File("rb"))
@click.option("--dataset", "dataset_id", type=DATASET_ID, help="Whose defaults (phone country, LDU) to apply.")
@json_option
def command(*, file: BinaryIO, dataset_id: str | None, as_json: bool) -> None:
    """Check the events of FILE (- for stdin) as the queue would send them; exit 1 if Meta would refuse any.

    Personal data is hashed as the producer does it, and missing ids and times are given. What Meta takes
    but cannot use is a warning. FILE is read as by send.
    """
    counts: Counter[str] = Counter()
    told: list[dict[str, Any]] = []
    try:
        for verdict in _verdicts(EventFile(file), dataset_id):
            counts["invalid" if verdict.problems else "valid"] += 1
            if not (verdict.problems or verdict.warnings):
                continue
            if as_json:
                told.append(_as_json(verdict))
            else:
                _tell(verdict)
    except UnreadableDocumentError as error:
        raise click.UsageError(f"FILE: {error}") from None
    if as_json:
        print_json({"valid": counts["valid"], "invalid": counts["invalid"], "events": told})
    else:
        out().print(f"valid {plain_or_grouped(counts['valid'])}, invalid {plain_or_grouped(counts['invalid'])}")
    if counts["invalid"]:
        raise SystemExit(1)


def _verdicts(events: EventFile, dataset_id: str | None) -> Iterator[_Verdict]:
    settings = load()
    producer, defaults = open_producer(settings), DatasetFile(settings.datasets_path)
    for found in events:
        yield _judge(found, producer, defaults, found.dataset_id or dataset_id or settings.dataset_id or "0")


def _judge(found: Found, producer: Producer, defaults: DatasetFile, dataset_id: str) -> _Verdict:
    if found.event is None:
        return _Verdict(found, (Problem("", "undecodable", found.reason),))
    try:
        stored, receipt = prepared(producer, found.event, defaults.get(dataset_id))
    except InvalidEvent as error:
        return _Verdict(found, (Problem("", "undecodable", str(error)),))
    event = decode(stored)
    problems = tuple(problems_of(event))
    # A warning only: whether an event is of this week depends on when it is sent.
    window = "ok" if problems else event_window(event["event_time"], event.get("action_source"), time.time())
    outside = (_OUTSIDE[window],) if window in _OUTSIDE else ()
    return _Verdict(found, problems, receipt.warnings + outside)


def _as_json(verdict: _Verdict) -> dict[str, Any]:
    return {
        "number": verdict.found.number,
        "line": verdict.found.line,
        "problems": [asdict(problem) for problem in verdict.problems],
        "warnings": list(verdict.warnings),
    }


def _tell(verdict: _Verdict) -> None:
    console = out()
    place = f"event {verdict.found.number} (line {verdict.found.line})"
    for problem in verdict.problems:
        console.print(
            escape(f"{place}: {f'{problem.path}: ' if problem.path else ''}{problem.message}"), soft_wrap=True
        )
    for warning in verdict.warnings:
        console.print(escape(f"{place}: warning: {warning}"), soft_wrap=True)
