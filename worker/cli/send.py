"""``send``: enqueue the events of a file, waiting where the event store is full."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import dropwhile
from typing import Any, BinaryIO

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from worker.cli.console import err, json_option, out, plain_or_grouped, print_json
from worker.cli.event_files import EventFile, Found
from worker.cli.json_document import UnreadableDocumentError
from worker.cli.opening import DATASET_ID, open_producer
from worker.cli.send_now import send_now
from worker.cli.sender import Account, NoDatasetError, Sender, StoppedError
from worker.scrub import escape
from worker.settings import load

_EXAMPLES = """\b
Examples:
  python -m worker send events.jsonl --dataset 1234567890
  python -m worker send one.json --dataset 1234567890 --now --test-event-code TEST12345"""


@click.command("send", short_help="Enqueue the events of a file.", epilog=_EXAMPLES)
@click.argument("file", type=click.File("rb"))
@click.option("--dataset", "dataset_id", type=DATASET_ID, help="Whose events they are; default: CAPI_DATASET_ID.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an event store that takes nothing, before giving up.",
)
@click.option("--from-event", type=click.IntRange(min=1), default=1, metavar="N", help="Leave out those before it.")
@click.option("--now", is_flag=True, help="POST up to 1000 events at once, past the queue, and print Meta's answer.")
@click.option("--test-event-code", metavar="CODE", help="With --now: the code of the Test Events page.")
@json_option
def command(
    *,
    file: BinaryIO,
    dataset_id: str | None,
    wait_seconds: float,
    from_event: int,
    now: bool,
    test_event_code: str | None,
    as_json: bool,
) -> None:
    """Send the events of FILE (- for stdin).

    FILE holds JSON lines, a JSON array or {"data": [...]}. A line may also be {"dataset_id": "123", "event": {...}}, so
    that one file serves several datasets. Events that can never be sent are counted and told; the exit code stays 0.
    """
    if now != (test_event_code is not None):
        raise click.UsageError("--now and --test-event-code belong together: the queue sends real events")
    settings = load()
    source = EventFile(file)
    events = dropwhile(lambda found: found.number < from_event, source)
    target = dataset_id or settings.dataset_id
    try:
        if test_event_code is not None:
            send_now(settings, events, dataset_id=target, test_event_code=test_event_code, as_json=as_json)
            return
        with closing(open_producer(settings)) as producer, _progress(source, file) as (on_chunk, on_wait):
            sender = Sender(producer, dataset_id=target, wait_seconds=wait_seconds, on_wait=on_wait, on_chunk=on_chunk)
            stopped = _send(sender, events)
    except UnreadableDocumentError as error:
        raise click.UsageError(f"FILE: {error}; nothing was sent") from None
    if source.says_test_event_code:
        err().print("The file's test_event_code is not used: set it for the dataset, or send with --now.")
    _tell(sender.account, stopped, as_json=as_json)
    if stopped:
        raise SystemExit(1)


def _send(sender: Sender, events: Iterator[Found]) -> StoppedError | None:
    """Send everything; return why it stopped before the end."""
    try:
        sender.send(events)
    except StoppedError as error:
        return error
    except NoDatasetError:
        raise click.UsageError("say which dataset the events are for: --dataset ID, or set CAPI_DATASET_ID") from None
    return None


@contextmanager
def _progress(source: EventFile, file: BinaryIO) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """Show on a terminal how far it is; elsewhere say only when it has to wait."""
    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("sending", total=_size_of(file))
        waits: set[str] = set()

        def on_chunk() -> None:
            progress.update(task, completed=source.position, description="sending")

        def on_wait(reason: str) -> None:
            progress.update(task, description="waiting")
            if reason not in waits:
                waits.add(reason)
                console.print(f"Waiting: {reason}")

        yield on_chunk, on_wait


def _size_of(file: BinaryIO) -> int | None:
    """Return how many bytes there are to read, None when nobody knows."""
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


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
