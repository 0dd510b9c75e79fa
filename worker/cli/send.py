"""``send``: enqueue the events of a file, waiting where the event store is full."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import dropwhile
from pathlib import Path
from typing import Any, BinaryIO

import click

from capi_relay.datasets import DatasetFile
from schemas.messaging import take_event_names
from worker.cli.console import Seconds, err, json_option, out, plain_or_grouped, print_json
from worker.cli.csv_events import CsvFile
from worker.cli.event_files import Found
from worker.cli.json_document import UnreadableDocumentError
from worker.cli.opening import DATASET_ID, open_producer
from worker.cli.private_file import STDOUT, private_file
from worker.cli.rejects import Rejects
from worker.cli.send_now import send_now
from worker.cli.send_progress import progress_of
from worker.cli.sender import Account, NoDatasetError, Sender, StoppedError
from worker.cli.source import Format, open_source, source_options
from worker.datasets import Datasets
from worker.scrub import escape
from worker.settings import Settings, load

_EXAMPLES = """\b
Examples:
  python -m worker send events.jsonl --dataset 1234567890
  python -m worker send sales.csv --mapping sales.toml --dataset 1234567890 --rejects wrong.csv
  python -m worker send one.json --dataset 1234567890 --now --test-event-code TEST12345"""


@click.command("send", short_help="Enqueue the events of a file.", epilog=_EXAMPLES)
@click.argument("file", type=click.File("rb"))
@click.option("--dataset", "dataset_id", type=DATASET_ID, help="Whose events they are; default: CAPI_DATASET_ID.")
@click.option(
    "--wait",
    "wait_seconds",
    type=Seconds(0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an event store that takes nothing, before giving up.",
)
@click.option("--from-event", type=click.IntRange(min=1), default=1, metavar="N", help="Leave out those before it.")
@click.option("--now", is_flag=True, help="POST up to 1000 events at once, past the queue, and print Meta's answer.")
@click.option("--test-event-code", metavar="CODE", help="With --now: the code of the Test Events page.")
@source_options
@click.option(
    "--rejects",
    "rejects_file",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="Do not enqueue what Meta would refuse; write it here with line and codes, to be mended and sent again.",
)
@json_option
def command(
    *,
    file: BinaryIO,
    file_format: Format | None,
    mapping_path: Path | None,
    rejects_file: str | None,
    dataset_id: str | None,
    wait_seconds: float,
    from_event: int,
    now: bool,
    test_event_code: str | None,
    as_json: bool,
) -> None:
    """Send the events of FILE (- for stdin).

    FILE holds JSON lines, a JSON array or {"data": [...]}. A line may also be {"dataset_id": "123", "event": {...}}, so
    that one file serves several datasets. FILE may be CSV too: its columns have Meta's names, or --mapping says what
    they are. Events that can never be sent are counted and told; the exit code stays 0.
    """
    if now != (test_event_code is not None):
        raise click.UsageError("--now and --test-event-code belong together: the queue sends real events")
    settings = load()
    take_event_names(settings.messaging_event_names)
    if rejects_file is not None and (now or rejects_file == STDOUT or _is_same(file, rejects_file)):
        raise click.UsageError("--rejects is not for --now, and names another file than FILE, not stdout")
    source = open_source(file, file_format, mapping_path)
    events: Iterator[Found] = dropwhile(lambda found: found.number < from_event, source)
    target = dataset_id or settings.dataset_id
    _warn_of_stranger(settings, target)
    try:
        if test_event_code is not None:
            send_now(settings, events, dataset_id=target, test_event_code=test_event_code, as_json=as_json)
            return
        with ExitStack() as stack:
            producer = open_producer(settings)
            stack.callback(producer.close)
            rejects = None
            if rejects_file is not None:
                written = stack.enter_context(private_file(rejects_file, append=from_event > 1))
                rejects = Rejects(written, source, producer, DatasetFile(settings.datasets_path), target)
                events = rejects.checked(events)
            progress = stack.enter_context(progress_of(source, file))
            sender = Sender(
                producer,
                dataset_id=target,
                wait_seconds=wait_seconds,
                on_wait=progress.wait,
                on_chunk=lambda: progress.chunk(sender.account, rejects),
            )
            stopped = _send(sender, events)
            if rejects:
                rejects.write(before=stopped.event if stopped else None)
    except UnreadableDocumentError as error:
        raise click.UsageError(f"FILE: {error}; nothing was sent") from None
    if source.says_test_event_code:
        err().print("The file's test_event_code is not used: set it for the dataset, or send with --now.")
    if isinstance(source, CsvFile) and not source.has_ids:
        err().print("No column is event_id: each row got a random one, and a file that is sent twice counts twice.")
    _tell(sender.account, stopped, as_json=as_json)
    if stopped:
        raise SystemExit(1)


def _is_same(file: BinaryIO, other: str) -> bool:
    """Say whether a path is the file that is read: to write to it would empty it first."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), Path(other).stat())
    except (OSError, ValueError):
        return False


def _warn_of_stranger(settings: Settings, dataset_id: str | None) -> None:
    """Tell of a dataset that is configured nowhere: the id may be mistyped, and its events would wait."""
    known = Datasets(settings).ids()
    if dataset_id and known and dataset_id not in known:
        err().print(
            f"Dataset {dataset_id} is not configured: its events wait until it is. Configured: {', '.join(known)}"
        )


def _send(sender: Sender, events: Iterator[Found]) -> StoppedError | None:
    """Send everything; return why it stopped before the end."""
    try:
        sender.send(events)
    except StoppedError as error:
        return error
    except NoDatasetError:
        raise click.UsageError("say which dataset the events are for: --dataset ID, or set CAPI_DATASET_ID") from None
    return None


def _tell(account: Account, stopped: StoppedError | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(account, stopped))
        return
    count, remarks = plain_or_grouped, err()
    for line, reason in account.refusals:
        remarks.print(escape(f"line {line}: refused: {reason}"))
    for line, warning in account.warnings:
        remarks.print(escape(f"line {line}: warning: {warning}"))
    out().print(
        f"accepted {count(account.accepted)}, refused {count(account.refused)}, with warnings {count(account.warned)}"
    )
    if stopped:
        remarks.print(f"Stopped at line {stopped.line}: {stopped}. To go on: --from-event {stopped.event}")
        if stopped.accepted_after:
            remarks.print(f"{count(stopped.accepted_after)} event(s) after that one are accepted already.")


def _as_json(account: Account, stopped: StoppedError | None) -> dict[str, Any]:
    return {
        "accepted": account.accepted,
        "refused": account.refused,
        "warnings": account.warned,
        "first_refused": [{"line": line, "reason": reason} for line, reason in account.refusals],
        "first_warnings": [{"line": line, "warning": text} for line, text in account.warnings],
        "stopped": stopped
        and {
            "reason": str(stopped),
            "event": stopped.event,
            "line": stopped.line,
            "accepted_after": stopped.accepted_after,
        },
    }
