"""``erase``: remove a person's waiting events and dead letters."""

import re
import sys
from dataclasses import asdict
from functools import reduce
from operator import or_
from typing import Any

import click

from worker.cli.console import Seconds, json_option, number, out, print_json, safe, table
from worker.cli.opening import DATASET_ID, known_ids, opened_store
from worker.erasure import Erasure, NoIdentifierError, Person, erase, person_of, person_of_digest
from worker.settings import load

_KEYS = {"email": "em", "phone": "ph", "external_id": "external_id"}
_FROM_STDIN = "-"
_NOT_REACHED = (
    "what Meta has already: ask Meta to delete it",
    "events that a web host has spooled (CAPI_SPOOL_DIR): run this again once they are in the store",
    "backups, and the append-only file until it is rewritten",
    "the few entries that an erased one shared a block of memory with: its bytes lie there until they have left too",
    "files that were made with dead export, and the app's own data",
)

_EXAMPLES = """\b
Examples:
  python -m worker erase --email - --dry-run
  echo "+44 20 7946 0123" | python -m worker erase --phone - --json"""


@click.command("erase", short_help="Remove a person's events and dead letters.", epilog=_EXAMPLES)
@click.option("--email", metavar="ADDRESS", help="Events with this e-mail address.")
@click.option("--phone", metavar="NUMBER", help="Events with this phone number: +<code><number>, or with --country.")
@click.option("--country", metavar="CC", help="The two-letter country of a --phone without its code.")
@click.option("--external-id", metavar="ID", help="Events with your own id of the person.")
@click.option("--hash", "digest", metavar="SHA256", help="Events with this digest under any of the three.")
@click.option("--dataset", "dataset_id", type=DATASET_ID, help="In this dataset only.")
@click.option(
    "--wait",
    "wait_seconds",
    type=Seconds(0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait, in each dataset, for events that are under way.",
)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@json_option
def command(
    *,
    country: str | None,
    digest: str | None,
    dataset_id: str | None,
    wait_seconds: float,
    dry_run: bool,
    as_json: bool,
    **identifiers: str | None,
) -> None:
    """Remove a person's waiting events and dead letters for good, while the relay runs; a paused dataset's too.

    An event is theirs if any of the identifiers given is in it. Give - for one of them, and it is read from stdin, or
    asked for on a terminal: on the command line anybody on this machine can read it, and the shell remembers it.

    Stop the app from sending more of them first. Exit 1 if an event was under way all the time: run it again.
    """
    person = _person(identifiers, digest, country)
    settings = load()
    with opened_store(settings) as store:
        listed = [dataset_id] if dataset_id else known_ids(settings, store)
        found = {each: erase(store, person, each, wait_seconds=wait_seconds, dry_run=dry_run) for each in listed}
    if as_json:
        print_json(_as_json(found, dry_run=dry_run))
    else:
        _tell(found, dry_run=dry_run)
    if any(erasure.not_reached for erasure in found.values()):
        raise SystemExit(1)


def _person(identifiers: dict[str, str | None], digest: str | None, country: str | None) -> Person:
    given = {name: value for name, value in {**identifiers, "hash": digest}.items() if value is not None}
    if not given:
        raise click.UsageError("say whom: --email, --phone, --external-id or --hash")
    if list(given.values()).count(_FROM_STDIN) > 1:
        raise click.UsageError("only one value can come from stdin")
    if country is not None and re.fullmatch("[A-Za-z]{2}", country) is None:
        raise click.UsageError("--country: give the two-letter code, as in GB")
    persons = []
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        text = _from_stdin(option) if value == _FROM_STDIN else value
        try:
            persons.append(person_of(_KEYS[name], text, country=country) if name in _KEYS else person_of_digest(text))
        except NoIdentifierError as error:
            or_country = ", or give its --country" if name == "phone" and country is None else ""
            raise click.UsageError(f"{option}: {error}{or_country}") from None
    return reduce(or_, persons)


def _from_stdin(option: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"The value of {option} (not shown)", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def _as_json(found: dict[str, Erasure], *, dry_run: bool) -> dict[str, Any]:
    return {
        "datasets": {dataset_id: asdict(erasure) for dataset_id, erasure in found.items()},
        "totals": asdict(_total(found)),
        "not_covered": list(_NOT_REACHED),
        "dry_run": dry_run,
    }


def _total(found: dict[str, Erasure]) -> Erasure:
    return Erasure(
        **{name: sum(getattr(each, name) for each in found.values()) for name in Erasure.__dataclass_fields__}
    )


def _tell(found: dict[str, Erasure], *, dry_run: bool) -> None:
    view = table("Dataset", "Waiting", "Dead\nletters", "Left\nmeanwhile", "Not\nreached", right={1, 2, 3, 4})
    total = _total(found)
    for dataset_id, each in found.items():
        if any(counts := asdict(each).values()):
            view.add_row(safe(dataset_id), *map(number, counts))
    say = out().print
    if view.row_count:
        say(view)
    verb = "would erase" if dry_run else "erased"
    say(f"{verb} {number(total.waiting)} waiting event(s) and {number(total.dead_letters)} dead letter(s)")
    if total.left_meanwhile:
        say(f"{number(total.left_meanwhile)} were on their way when this began: delivered, or dead letters by now")
    if total.not_reached:
        say(f"{number(total.not_reached)} are still on their way: run this again")
    say("Not reached from here:")
    for place in _NOT_REACHED:
        say(f"- {place}", soft_wrap=True)
