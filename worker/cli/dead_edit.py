"""``dead edit``: change fields of one dead letter's event, see whether Meta would take it now, and put it back."""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from capi_relay.addresses import without_addresses
from capi_relay.datasets import DatasetFile
from capi_relay.errors import InvalidEvent
from capi_relay.personal import protect
from capi_relay.wire import encode
from schemas.messaging import take_event_names
from worker.cli.console import err, json_option, out, print_json
from worker.cli.dead_filter import dataset_option
from worker.cli.dead_selection import LETTER_ID, event_of, one_letter
from worker.cli.event_path import PathError, any_path_of, path_of, remove_at, set_at, value_of
from worker.cli.opening import lanes_of, opened_store
from worker.dead_letters import DeadLetter, replay
from worker.dead_verdict import Verdict, verdict_of
from worker.explain import explain
from worker.meta import Meta, read_meta
from worker.scrub import escape
from worker.settings import load
from worker.store import Entry, StoredDeadLetter

_FROM_STDIN = "-"
_EDITED = "changed by dead edit"


class Setting(click.ParamType[tuple[str, str]]):
    """``path=value`` on the command line."""

    name = "PATH=VALUE"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        """Return both, or refuse what is no such pair; the value is never told."""
        path, sign, text = str(value).partition("=")
        if not sign:
            self.fail("write PATH=VALUE, such as custom_data.currency=EUR", param, ctx)
        try:
            path_of(path)
        except PathError as error:
            self.fail(str(error), param, ctx)
        return path, text


@click.command("edit", epilog="Example: python -m worker dead edit 1764000000000-0 --set custom_data.currency=EUR")
@click.argument("letter_id", metavar="ID", type=LETTER_ID)
@dataset_option
@click.option("--set", "settings_made", type=Setting(), multiple=True, help="Set a field; VALUE - is read from stdin.")
@click.option("--unset", "removed", multiple=True, metavar="PATH", help="Leave a field out.")
@click.option("--dry-run", is_flag=True, help="Only say whether Meta would take it.")
@json_option
def edit(
    *,
    letter_id: str,
    dataset_id: str | None,
    settings_made: tuple[tuple[str, str], ...],
    removed: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Change fields of a dead letter's event and put it back into the queue, if Meta would take it now.

    Personal data is normalised and hashed as by the producer. What else the event holds is kept. That these fields
    were changed is kept with the event, their values are not. Exit 1, and nothing is changed, if it would be refused.
    """
    if not (settings_made or removed):
        raise click.UsageError("say what to change: --set PATH=VALUE or --unset PATH")
    settings = load()
    take_event_names(settings.messaging_event_names)
    with opened_store(settings) as store:
        stored, letter = one_letter(store, dataset_id, letter_id)
        country = DatasetFile(settings.datasets_path).get(letter.dataset_id).default_country
        paths = [*(path for path, _ in settings_made), *removed]
        changed = replace(stored, event=_changed(stored, letter, settings_made, removed, country))
        verdict = verdict_of(changed.event, now_seconds=time.time())
        replayed = 0
        if not verdict.door and not dry_run:
            replayed = replay(
                store,
                [replace(changed, meta=_noted(stored, paths))],
                lanes_of=lanes_of(settings),
                now_seconds=time.time(),
                freshness_seconds=settings.freshness_seconds,
            ).replayed
    _tell(verdict, paths, replayed=replayed, dry_run=dry_run, as_json=as_json)
    if verdict.door or not (replayed or dry_run):
        raise SystemExit(1)


def edited_paths(stored: StoredDeadLetter) -> list[str]:
    """Name the fields that were changed by hand in an earlier life of this dead letter."""
    meta = read_meta(Entry(stored.id, stored.event, stored.meta))
    warnings = meta.warnings if meta else ()
    return [each.removesuffix(f": {_EDITED}") for each in warnings if each.endswith(f": {_EDITED}")]


def _changed(
    stored: StoredDeadLetter,
    letter: DeadLetter,
    made: Sequence[tuple[str, str]],
    removed: Sequence[str],
    country: str | None,
) -> bytes:
    """Return the event's bytes with the changes, nothing personal raw in them."""
    event = event_of(stored, letter)
    if event is None:
        raise click.ClickException("it cannot be edited: its bytes are no event that may be shown")
    try:
        for path in removed:
            if not remove_at(event, any_path_of(path)):
                raise click.UsageError(f"--unset {path}: the event has no such field")
        for path, text in made:
            value = sys.stdin.readline().rstrip("\r\n") if text == _FROM_STDIN else text
            set_at(event, path_of(path), value_of(path, value))
    except PathError as error:
        raise click.UsageError(str(error)) from None
    ready, warnings = protect(event, country)
    ready, _ = without_addresses(ready)
    paths = tuple(path for path, _ in made)
    for warning in (each for each in warnings if each.startswith(paths)):
        if ": left out" in warning:
            raise click.UsageError(f"{warning}; nothing was changed")
        err().print(escape(warning), soft_wrap=True)
    try:
        return encode(ready)
    except InvalidEvent as error:
        raise click.UsageError(f"{error}; nothing was changed") from None


def _noted(stored: StoredDeadLetter, paths: Sequence[str]) -> bytes:
    """Return the meta with the names of the fields that were changed, each once."""
    meta = read_meta(Entry(stored.id, stored.event, stored.meta)) or Meta(int(stored.id.partition("-")[0]))
    notes = dict.fromkeys((*meta.warnings, *(f"{path}: {_EDITED}" for path in paths)))
    return Meta(meta.enqueued_ms, tuple(notes), meta.replays).to_bytes()


def _tell(verdict: Verdict, paths: Sequence[str], *, replayed: int, dry_run: bool, as_json: bool) -> None:
    problems = [asdict(problem) for problem in verdict.problems]
    if as_json:
        told = {"edited": list(paths), "acceptable": not verdict.door, "reason": verdict.door or None}
        print_json({**told, "problems": problems, "replayed": replayed, "dry_run": dry_run})
        return
    console = out()
    if verdict.door:
        console.print(f"Not replayed: {explain(verdict.door, None, None).cause}", soft_wrap=True)
        for problem in problems:
            console.print(escape(f"  {problem['path']}: {problem['message']}"), soft_wrap=True)
    elif dry_run:
        console.print("Meta would take it now; nothing was changed (--dry-run).")
    elif replayed:
        console.print(f"Replayed with {', '.join(paths)} changed.", soft_wrap=True)
    else:
        console.print("It was gone: somebody else replayed or purged it meanwhile.")
