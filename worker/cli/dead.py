"""``dead``: list, group, show, edit, replay, purge and export the dead letters."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
from rich.text import Text

from schemas.messaging import take_event_names
from worker.cli.console import err, json_option, moment, number, out, plain_or_grouped, print_json, safe, table
from worker.cli.dead_causes import CAUSES, tell_group, tell_replay
from worker.cli.dead_edit import edit, edited_paths
from worker.cli.dead_export import Format, export
from worker.cli.dead_filter import Filter, dataset_option, filter_options
from worker.cli.dead_selection import GONE, LETTER_ID, content_of, one_letter, selection, shortened
from worker.cli.opening import lanes_of, opened_store
from worker.cli.private_file import private_file
from worker.dead_groups import grouped
from worker.dead_letters import DeadLetter, purge, replay
from worker.dead_verdict import Forecast
from worker.scrub import escape
from worker.settings import load

_LISTED = 50

_id_option = click.option("--id", "ids", type=LETTER_ID, multiple=True, help="This dead letter; repeat for more.")
_all_option = click.option("--all", "every", is_flag=True, help="All dead letters there are.")
_dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.group(
    "dead",
    short_help="List, group, show, edit, replay, purge, export dead letters.",
    epilog="Example: python -m worker dead list --reason rejected",
)
def group() -> None:
    """Look after the dead letters: events that were not delivered, each with its cause and fix."""


@group.command("list", epilog="Example: python -m worker dead list --dataset 1234567890 --json")
@filter_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"Default: {_LISTED}, with --json all.")
@json_option
def list_letters(*, where: Filter, limit: int | None, as_json: bool) -> None:
    """List dead letters, dataset by dataset, the oldest first."""
    with opened_store(load()) as store:
        letters = (letter for _, letter in selection(store, where))
        if as_json:
            _print_array(letter.as_json() for letter in islice(letters, limit))
            return
        _tell(list(islice(letters, limit or _LISTED)))
        if next(letters, None):
            out().print("There are more: --limit shows more of them.")


def _tell(letters: list[DeadLetter]) -> None:
    """Print a line for each dead letter, and below them each cause once: it is long, and many have the same."""
    if not letters:
        out().print("There are no dead letters of this kind.")
        return
    view = table("ID", "Since (UTC)", "Dataset", "Event", "Reason, code")
    causes: Counter[tuple[str, str]] = Counter()
    for letter in letters:
        code = "/".join(str(part) for part in (letter.code, letter.subcode) if part is not None)
        reason = f"{letter.reason} {code}".strip()
        causes[reason, letter.cause] += 1
        since = moment(letter.last_at)[5:-3]  # month to minute: the id has it to the millisecond
        view.add_row(letter.id, *map(safe, (since, letter.dataset_id, letter.event_name, reason)))
    out().print(view)
    for (reason, cause), count in causes.most_common(CAUSES):
        out().print(Text.assemble("\n", f"{reason} ({number(count)}): ", safe(cause)))
    if len(causes) > CAUSES:
        out().print(f"\nand {number(len(causes) - CAUSES)} other causes: dead show ID tells each")


@group.command("groups", epilog="Example: python -m worker dead groups --since 1d")
@filter_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"Default: {CAUSES}, with --json all.")
@json_option
def groups(*, where: Filter, limit: int | None, as_json: bool) -> None:
    """Tell what is wrong, the most frequent cause first: how many events and datasets, since when, and what to do."""
    with opened_store(load()) as store:
        found, others = grouped(selection(store, where))
    if as_json:
        _print_array(each.as_json() for each in found[:limit])
        return
    if not found:
        out().print("There are no dead letters of this kind.")
    for place, each in enumerate(found[: limit or CAUSES]):
        tell_group(each, first=place == 0)
    left = sum(each.events for each in found[limit or CAUSES :]) + others
    if left:
        out().print(f"\nand {number(left)} event(s) of other causes: --limit shows more of them")


@group.command("show", epilog="Example: python -m worker dead show 1764000000000-0")
@click.argument("letter_id", metavar="ID", type=LETTER_ID)
@dataset_option
@json_option
def show(*, letter_id: str, dataset_id: str | None, as_json: bool) -> None:
    """Show one dead letter whole: why it is one, what to do, and its event with the digests shortened."""
    with opened_store(load()) as store:
        stored, letter = one_letter(store, dataset_id, letter_id)
    content = content_of(stored, letter)
    if "event" in content:
        content = shortened(content)
    told = letter.as_json()
    if paths := edited_paths(stored):
        told["edited"] = paths
    if as_json:
        print_json({**told, **content})
        return
    view = table("", "")
    view.show_header = False
    for name, value in told.items():
        view.add_row(name, safe(", ".join(value) if isinstance(value, list) else value))
    out().print(view)
    out().print(escape(json.dumps(content, indent=2, ensure_ascii=False), keep="\n"), soft_wrap=True)


@group.command("replay", epilog="Example: python -m worker dead replay --dataset 1234567890 --reason rejected")
@filter_options
@_id_option
@_all_option
@_dry_run_option
@json_option
def replay_letters(*, where: Filter, ids: tuple[str, ...], every: bool, dry_run: bool, as_json: bool) -> None:
    """Put dead letters back into the queue, as they are stored; run twice, each is replayed once.

    It says which of them Meta would not take, and why: they become dead letters again. --dry-run says so beforehand.
    """
    _must_be_chosen(where, ids, every=every)
    settings = load()
    take_event_names(settings.messaging_event_names)
    with opened_store(settings) as store:
        letters = selection(store, where, ids=ids)
        letters.must_be_plain()
        unknown = letters.unknown()
        found = Forecast()
        count = replay(
            store,
            found.judging((stored for stored, _ in letters), now_seconds=time.time()),
            lanes_of=lanes_of(settings),
            now_seconds=time.time(),
            freshness_seconds=settings.freshness_seconds,
            dry_run=dry_run,
        )
    if as_json:
        told = {"replayed": count.replayed, "gone": count.gone, "not_replayable": count.not_replayable}
        print_json({**told, "unknown": unknown, "dry_run": dry_run, **found.as_json()})
    else:
        tell_replay(count, found, dry_run=dry_run)
    _end_with(unknown)


@group.command("purge", epilog="Example: python -m worker dead purge --reason expired --yes")
@filter_options
@_id_option
@_all_option
@_dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def purge_letters(*, where: Filter, ids: tuple[str, ...], every: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Delete dead letters for good; the doors they took stay counted."""
    _must_be_chosen(where, ids, every=every)
    with opened_store(load()) as store:
        letters = selection(store, where, ids=ids)
        letters.must_be_plain()
        unknown = letters.unknown()
        count = 0 if yes and not dry_run else sum(1 for _ in letters)
        if count and not dry_run:
            click.confirm(f"Delete {count} dead letter(s) for good?", abort=True, err=True)
        if not dry_run and (count or yes):
            count = purge(store, (stored for stored, _ in letters))
    if as_json:
        print_json({"purged": count, "unknown": unknown, "dry_run": dry_run})
    else:
        out().print(f"{'would purge' if dry_run else 'purged'} {plain_or_grouped(count)}")
    _end_with(unknown)


@group.command("export", epilog="Example: python -m worker dead export dead.jsonl --reason rejected")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, writable=True))
@filter_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON lines can be sent again; csv is for people and spreadsheets.",
)
def export_letters(*, file: str, where: Filter, form: Format) -> None:
    """Write dead letters with their events to FILE (- for stdout) as JSON lines or CSV.

    JSON lines, corrected, can be sent again with send. The file holds personal data, hashed: keep it as safe as the
    event store.
    """
    with opened_store(load()) as store, private_file(file) as target:
        count = export(selection(store, where), target, form)
    err().print(f"exported {plain_or_grouped(count)}")


group.add_command(edit)


def _must_be_chosen(where: Filter, ids: tuple[str, ...], *, every: bool) -> None:
    """Refuse a command that names no dead letters: nobody means all of them by saying nothing."""
    if every == bool(where.given or ids):
        raise click.UsageError("say which dead letters: --dataset, --reason or another condition, --id, or --all alone")


def _end_with(unknown: list[str]) -> None:
    """Exit with 1 where ids were given that are no dead letter's; the others are done."""
    if unknown:
        raise click.ClickException("\n".join(map(GONE.format, unknown)))


def _print_array(items: Iterator[dict[str, Any]]) -> None:
    """Print a JSON array item by item, however many there are."""
    click.echo("[", nl=False)
    for place, item in enumerate(items):
        click.echo(("," if place else "") + "\n" + json.dumps(item), nl=False)
    click.echo("\n]")
