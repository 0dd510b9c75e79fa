"""``pause`` and ``resume``: hold one dataset's events back, and let them go again."""

from math import ceil

import click

from worker.cli.console import Seconds, duration, err, json_option, number, out, print_json
from worker.cli.counts import MANUAL, paused_of
from worker.cli.opening import DATASET_ID, known_ids, opened_store
from worker.settings import load
from worker.store import Store


@click.command(
    "pause",
    short_help="Hold the events of one dataset back.",
    epilog='Example: python -m worker pause 1234567890 --for 3600 --reason "wrong currency"',
)
@click.argument("dataset", type=DATASET_ID)
@click.option("--for", "seconds", type=Seconds(1), help="Then go on.")
@click.option("--reason", default="", metavar="TEXT", help="What status shows beside it.")
@json_option
def pause(*, dataset: str, seconds: float | None, reason: str, as_json: bool) -> None:
    """Send nothing of DATASET until resume, or for some time; its events are accepted and wait.

    A request that is already on its way is not called back.
    """
    settings = load()
    with opened_store(settings) as store:
        if dataset not in known_ids(settings, store):
            err().print(f"Nothing is known of dataset {dataset} so far: look whether this is the right id.")
        store.admin.pause(dataset, reason=MANUAL, seconds=seconds, detail=reason)
        _tell(store, dataset, as_json=as_json)


@click.command(
    "resume", short_help="Let the events of one dataset go again.", epilog="Example: python -m worker resume 1234567890"
)
@click.argument("dataset", type=DATASET_ID)
@json_option
def resume(*, dataset: str, as_json: bool) -> None:
    """End the pause of DATASET now, whoever began it; its events are due at once."""
    with opened_store(load()) as store:
        was_paused = store.admin.resume(dataset)
        if not was_paused:
            err().print(f"Dataset {dataset} was not paused.")
        if was_paused or as_json:
            _tell(store, dataset, as_json=as_json)


def _tell(store: Store, dataset_id: str, *, as_json: bool) -> None:
    counts = store.admin.counts(dataset_id)
    if as_json:
        print_json({"dataset_id": dataset_id, "paused": counts.pause and paused_of(counts.pause)})
    elif counts.pause is None:
        waiting = counts.stored - counts.in_flight
        out().print(f"Dataset {dataset_id} goes on; {number(waiting)} event{'s wait' if waiting != 1 else ' waits'}.")
    elif counts.pause.until_ms is None:
        out().print(f"Dataset {dataset_id} is paused until it is resumed.")
    else:
        left_seconds = ceil((counts.pause.until_ms - counts.now_ms) / 1000)
        out().print(f"Dataset {dataset_id} is paused for {duration(left_seconds)}.")
