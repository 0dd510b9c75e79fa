"""``reconcile``: every event that came in has left by a door or is still here."""

import click

from worker.cli.console import json_option, number, out, print_json, safe, table
from worker.cli.counts import equation_of
from worker.cli.opening import known_ids, opened_store
from worker.settings import load


@click.command(
    "reconcile",
    short_help="Check that no event is missing.",
    epilog="Example: python -m worker reconcile && echo all accounted for",
)
@json_option
def command(*, as_json: bool) -> None:
    """Check for each dataset that no event is missing; exit 1 if one is.

    enqueued + replayed + foreign = waiting + in flight + the sum over all doors. What is left over is unaccounted: more
    than 0 are missing, less than 0 were never enqueued.
    """
    settings = load()
    with opened_store(settings) as store:
        read = sorted(store.overview.read(known_ids(settings, store)), key=lambda counts: counts.dataset_id)
    found = {counts.dataset_id: equation_of(counts) for counts in read}
    unaccounted = sum(equation["unaccounted"] for equation in found.values())
    if as_json:
        print_json({"datasets": found, "unaccounted": unaccounted})
    else:
        names = ("Enqueued", "Replayed", "Foreign", "Waiting", "In\nflight", "Doors", "Unaccounted")
        view = table("Dataset", *names, right={1, 2, 3, 4, 5, 6, 7})
        for dataset_id, equation in found.items():
            view.add_row(safe(dataset_id), *map(number, equation.values()))
        out().print(view)
        out().print(f"{number(unaccounted)} unaccounted")
    if any(equation["unaccounted"] for equation in found.values()):
        raise SystemExit(1)
