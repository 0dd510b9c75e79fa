"""``reconcile``: every event that came in has left by a door or is still here."""

from collections.abc import Mapping
from typing import Any

import click
from rich.table import Table

from worker.cli.console import json_option, number, out, print_json, safe, table
from worker.cli.counts import equation_of
from worker.cli.opening import known_ids, opened_store
from worker.settings import load

_LISTED = 50
_COLUMNS = ("Enqueued", "Replayed", "Foreign", "Waiting", "In\nflight", "Doors", "Unaccounted")


@click.command(
    "reconcile",
    short_help="Check that no event is missing.",
    epilog="Example: python -m worker reconcile && echo all accounted for",
)
@json_option
def command(*, as_json: bool) -> None:
    """Check for each dataset that no event is missing; exit 1 if one is.

    enqueued + replayed + foreign = waiting + in flight + the sum over all doors. What is left over is unaccounted: more
    than 0 are missing, less than 0 were never enqueued. Of more than 50 datasets only those that do not balance are
    listed.
    """
    settings = load()
    with opened_store(settings) as store:
        read = sorted(store.overview.read(known_ids(settings, store)), key=lambda counts: counts.dataset_id)
    found = {counts.dataset_id: equation_of(counts) for counts in read}
    unaccounted = sum(equation["unaccounted"] for equation in found.values())
    if as_json:
        print_json({"datasets": found, "unaccounted": unaccounted})
    else:
        out().print(view_of(found))
        out().print(f"{number(unaccounted)} unaccounted")
    if any(equation["unaccounted"] for equation in found.values()):
        raise SystemExit(1)


def view_of(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return what a person sees: of many datasets only those that do not balance, and the sums of all."""
    view = table("Dataset", *_COLUMNS, right=range(1, len(_COLUMNS) + 1))
    for dataset_id, equation in found.items():
        if equation["unaccounted"] or len(found) <= _LISTED:
            view.add_row(safe(dataset_id), *map(number, equation.values()))
    if len(found) > _LISTED:
        view.add_section()
        sums = (sum(column) for column in zip(*(each.values() for each in found.values()), strict=True))
        view.add_row(f"all {number(len(found))}", *map(number, sums), style="bold")
    return view
