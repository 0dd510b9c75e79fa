"""``validate``: say what Meta would refuse in a file's events and what it could not use, without sending anything."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from capi_relay.datasets import DatasetFile
from schemas.messaging import take_event_names
from schemas.report import Report, report, unreadable
from worker.cli.console import json_option
from worker.cli.event_files import Found
from worker.cli.findings import Findings, untimely
from worker.cli.json_document import UnreadableDocumentError
from worker.cli.opening import DATASET_ID
from worker.cli.source import Format, Source, open_source, source_options
from worker.settings import Settings, load


@click.command(
    "validate",
    short_help="Say what Meta would refuse, without sending.",
    epilog="Example: python -m worker validate events.jsonl",
)
@click.argument("file", type=click.File("rb"))
@click.option("--dataset", "dataset_id", type=DATASET_ID, help="Whose settings (phone country, LDU ...) to apply.")
@click.option(
    "--show",
    "shown_events",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Tell the problems, and the warnings, of so many events; all are counted.",
)
@source_options
@json_option
def command(
    *,
    file: BinaryIO,
    dataset_id: str | None,
    shown_events: int,
    file_format: Format | None,
    mapping_path: Path | None,
    as_json: bool,
) -> None:
    """Check the events of FILE (- for stdin) as the queue would send them; exit 1 if Meta would refuse any now.

    Personal data is hashed as the producer does it, and missing ids and times are given. What Meta takes
    but cannot use is a warning. FILE is read as by send. With --json: one object an event, each on a line.
    """
    settings = load()
    take_event_names(settings.messaging_event_names)
    findings = Findings(shown_events=shown_events)
    refused = 0
    try:
        source = open_source(file, file_format, mapping_path)
        for found, target, told in _reports(source, dataset_id, settings):
            refused += not told["valid"] or untimely(told) is not None
            if as_json:
                sys.stdout.write(f"{json.dumps(told)}\n")
            else:
                findings.add(found, target, told)
    except UnreadableDocumentError as error:
        raise click.UsageError(f"FILE: {error}") from None
    if not as_json:
        findings.tell()
    if refused:
        raise SystemExit(1)


def _reports(events: Source, dataset_id: str | None, settings: Settings) -> Iterator[tuple[Found, str, Report]]:
    """Yield what there is to say about each event, and whose it is."""
    file = DatasetFile(settings.datasets_path)
    for found in events:
        target = found.dataset_id or dataset_id or settings.dataset_id or "-"
        yield found, target, _report(found, target, file, settings)


def _report(found: Found, dataset_id: str, file: DatasetFile, settings: Settings) -> Report:
    index = found.number - 1
    if found.event is None:
        return unreadable(index, found.reason)
    table = file.tables().get(dataset_id, {})
    short_form = dataset_id == settings.dataset_id and settings.test_event_code is not None
    return report(
        index,
        found.event,
        file.get(dataset_id),
        domains=table.get("domains", ()),
        test_mode=short_form or "test_event_code" in table,
    )
