"""``dead``: list, show, replay, purge and export the dead letters."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import click

from worker.cli.console import err, json_option, moment, number, out, plain_or_grouped, print_json, safe, table
from worker.cli.dead_selection import (
    LETTER_ID,
    content_of,
    dataset_option,
    reason_option,
    selection,
    shortened,
)
from worker.cli.opening import opened_store
from worker.datasets import Datasets
from worker.dead_letters import purge, replay
from worker.scrub import escape
from worker.settings import Settings, load

_LISTED = 50

_id_option = click.option("--id", "ids", type=LETTER_ID, multiple=True, help="This dead letter; repeat for more.")
_all_option = click.option("--all", "every", is_flag=True, help="All dead letters there are.")
_dry_run_option = click.option("--dry-run", is_flag=True, help="Only count them.")


@click.group(
    "dead",
    short_help="List, show, replay, purge, export dead letters.",
    epilog="Example: python -m worker dead list --reason rejected",
)
def group() -> None:
    """Look after the dead letters: events that were not delivered, each with its cause and fix."""


@group.command("list", epilog="Example: python -m worker dead list --dataset 1234567890 --json")
@dataset_option
@reason_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"Default: {_LISTED}, with --json all.")
@json_option
def list_letters(*, dataset_id: str | None, reason: str | None, limit: int | None, as_json: bool) -> None:
    """List dead letters, dataset by dataset, the oldest first."""
    with opened_store(load()) as store:
        letters = (letter for _, letter in selection(store, dataset_id=dataset_id, reason=reason))
        if as_json:
            _print_array(letter.as_json() for letter in islice(letters, limit))
            return
        view = table("ID, since (UTC)", "Dataset", "Event", "Reason, code", "Cause")
        for letter in islice(letters, limit or _LISTED):
            code = "/".join(str(part) for part in (letter.code, letter.subcode) if part is not None)
            id_and_time = f"{letter.id}\n{moment(letter.last_at)}"
            cells = (letter.dataset_id, letter.event_name, f"{letter.reason} {code}", letter.cause)
            view.add_row(id_and_time, *map(safe, cells))
        out().print(view if view.row_count else "There are no dead letters of this kind.")
        if next(letters, None):
            out().print("There are more: --limit shows more of them.")


@group.command("show", epilog="Example: python -m worker dead show 1764000000000-0")
@click.argument("letter_id", metavar="ID", type=LETTER_ID)
@dataset_option
@json_option
def show(*, letter_id: str, dataset_id: str | None, as_json: bool) -> None:
    """Show one dead letter whole: why it is one, what to do, and its event with the digests shortened."""
    with opened_store(load()) as store:
        found = list(selection(store, dataset_id=dataset_id, ids=(letter_id,)))
    if not found:
        raise click.ClickException(f"there is no dead letter {letter_id}: it was replayed or purged, or never was")
    if len(found) > 1:
        datasets = ", ".join(letter.dataset_id for _, letter in found)
        raise click.UsageError(f"more than one dataset has a dead letter {letter_id}: add --dataset, one of {datasets}")
    ((stored, letter),) = found
    content = content_of(stored, letter)
    if "event" in content:
        content = shortened(content)
    if as_json:
        print_json({**letter.as_json(), **content})
        return
    view = table("", "")
    view.show_header = False
    for name, value in letter.as_json().items():
        view.add_row(name, safe(value))
    out().print(view)
    out().print(escape(json.dumps(content, indent=2, ensure_ascii=False), keep="\n"), soft_wrap=True)


@group.command("replay", epilog="Example: python -m worker dead replay --dataset 1234567890 --reason rejected")
@dataset_option
@reason_option
@_id_option
@_all_option
@_dry_run_option
@json_option
def replay_letters(
    *, dataset_id: str | None, reason: str | None, ids: tuple[str, ...], every: bool, dry_run: bool, as_json: bool
) -> None:
    """Put dead letters back into the queue, as they are stored; run twice, each is replayed once."""
    _must_be_chosen(dataset_id, reason, ids, every=every)
    settings = load()
    with opened_store(settings) as store:
        count = replay(
            store,
            (stored for stored, _ in selection(store, dataset_id=dataset_id, reason=reason, ids=ids)),
            lanes_of=_lanes(settings),
            now_seconds=time.time(),
            freshness_seconds=settings.freshness_seconds,
            dry_run=dry_run,
        )
    if as_json:
        told = {"replayed": count.replayed, "gone": count.gone, "not_replayable": count.not_replayable}
        print_json({**told, "dry_run": dry_run})
        return
    out().print(f"{'would replay' if dry_run else 'replayed'} {plain_or_grouped(count.replayed)}")
    if count.gone:
        out().print(f"{number(count.gone)} were gone: somebody else replayed or purged them meanwhile")
    if count.not_replayable:
        out().print(f"{number(count.not_replayable)} cannot be replayed: there is no event in them that can be sent")


@group.command("purge", epilog="Example: python -m worker dead purge --reason expired --yes")
@dataset_option
@reason_option
@_id_option
@_all_option
@_dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def purge_letters(
    *,
    dataset_id: str | None,
    reason: str | None,
    ids: tuple[str, ...],
    every: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete dead letters for good; the doors they took stay counted."""
    _must_be_chosen(dataset_id, reason, ids, every=every)
    with opened_store(load()) as store:
        letters = selection(store, dataset_id=dataset_id, reason=reason, ids=ids)
        count = sum(1 for _ in letters)
        if count and not dry_run:
            if not yes:
                click.confirm(f"Delete {count} dead letter(s) for good?", abort=True, err=True)
            count = purge(store, (stored for stored, _ in letters))
    if as_json:
        print_json({"purged": count, "dry_run": dry_run})
    else:
        out().print(f"{'would purge' if dry_run else 'purged'} {plain_or_grouped(count)}")


@group.command("export", epilog="Example: python -m worker dead export dead.jsonl --reason rejected")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, writable=True))
@dataset_option
@reason_option
def export(*, file: str, dataset_id: str | None, reason: str | None) -> None:
    """Write dead letters with their events to FILE (- for stdout) as JSON lines.

    Corrected, the file can be sent again with send. It holds personal data, hashed: keep it as safe as the event store.
    """
    count = 0
    with opened_store(load()) as store, _opened(file) as target:
        for stored, letter in selection(store, dataset_id=dataset_id, reason=reason):
            target.write(json.dumps({**letter.as_json(), **content_of(stored, letter)}) + "\n")
            count += 1
    err().print(f"exported {plain_or_grouped(count)}")


def _must_be_chosen(dataset_id: str | None, reason: str | None, ids: tuple[str, ...], *, every: bool) -> None:
    """Refuse a command that names no dead letters: nobody means all of them by saying nothing."""
    if every == bool(dataset_id or reason or ids):
        raise click.UsageError("say which dead letters: --dataset, --reason, --id, or --all alone")


def _lanes(settings: Settings) -> dict[str, int]:
    datasets = Datasets(settings)
    return {found.dataset_id: found.lanes for found in map(datasets.get, datasets.ids()) if found}


def _print_array(items: Iterator[dict[str, Any]]) -> None:
    """Print a JSON array item by item, however many there are."""
    click.echo("[", nl=False)
    for place, item in enumerate(items):
        click.echo(("," if place else "") + "\n" + json.dumps(item), nl=False)
    click.echo("\n]")


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    """Open the file for its owner only."""
    if file == "-":
        yield sys.stdout
        return
    try:
        descriptor = os.open(Path(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w") as target:
        yield target
