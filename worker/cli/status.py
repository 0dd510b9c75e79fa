"""``status``: what waits, what was delivered and how fresh, what is dead, what is paused."""

import time
from collections.abc import Sequence
from math import ceil

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from worker.cli.console import doors_text, duration, json_option, number, out, percent, print_json, safe, table
from worker.cli.counts import paused_of, status_of, totals_of
from worker.cli.opening import known_ids, opened_store
from worker.explain import explain
from worker.settings import Settings, load
from worker.store import DatasetCounts, Store

_WATCH_SECONDS = 1.0
_COLUMNS = ("Dataset", "Enqueued", "Waiting", "In flight", "Delivered", "Within the hour", "Requests", "Dead letters")


@click.command(
    "status", short_help="Show what waits, was delivered, is paused.", epilog="Example: python -m worker status --watch"
)
@click.option("--watch", is_flag=True, help="Show it anew each second, until Ctrl-C.")
@json_option
def command(*, watch: bool, as_json: bool) -> None:
    """Show for each dataset what waits, what was delivered and what was not.

    "Within the hour" is the share of the events that were younger than an hour when they were enqueued. "Oldest" is how
    long the oldest waiting event has waited.
    """
    if watch and as_json:
        raise click.UsageError("--watch is for people: run --json again and again instead")
    settings = load()
    with opened_store(settings) as store:
        if as_json:
            found = _read(settings, store)
            print_json({"datasets": {each.dataset_id: status_of(each) for each in found}, "totals": totals_of(found)})
        elif watch:
            _watch(settings, store)
        else:
            out().print(_view(_read(settings, store)))


def _read(settings: Settings, store: Store) -> list[DatasetCounts]:
    return [store.admin.counts(dataset_id) for dataset_id in known_ids(settings, store)]


def _watch(settings: Settings, store: Store) -> None:
    try:
        with Live(_view(_read(settings, store)), console=out(), auto_refresh=False) as live:
            while True:
                time.sleep(_WATCH_SECONDS)
                live.update(_view(_read(settings, store)), refresh=True)
    except KeyboardInterrupt:
        return


def _view(found: Sequence[DatasetCounts]) -> RenderableType:
    if not found:
        return Text("There is no dataset yet: none is configured and nothing was enqueued.")
    view = table(*_COLUMNS, "Oldest", "Paused", right={1, 2, 3, 4, 5, 6, 7, 8})
    for counts in found:
        view.add_row(counts.dataset_id, *_cells(status_of(counts)), safe(_paused_text(counts)))
    if len(found) > 1:
        view.add_section()
        view.add_row("all", *_cells(totals_of(found)), "", style="bold")
    doors = {door: count for door, count in totals_of(found)["doors"].items() if door != "delivered"}
    lines = [Text(f"Not delivered: {doors_text(doors)}")] if any(doors.values()) else []
    return Group(view, *lines, *(safe(line) for counts in found for line in _advice(counts)))


def _cells(status: dict[str, int]) -> list[str]:
    counted = [number(status[name]) for name in ("enqueued", "waiting", "in_flight", "delivered")]
    requests, dead = number(status["requests"]), number(status["dead_letters"])
    return [*counted, percent(status["share_within_hour"]), requests, dead, duration(status["oldest_age_seconds"])]


def _paused_text(counts: DatasetCounts) -> str:
    if counts.pause is None:
        return ""
    if counts.pause.until_ms is None:
        return f"{paused_of(counts.pause)['reason']}, until it is resumed"
    left_seconds = ceil((counts.pause.until_ms - counts.now_ms) / 1000)
    return f"{paused_of(counts.pause)['reason']}, for {duration(left_seconds)}"


def _advice(counts: DatasetCounts) -> list[str]:
    """Say why a dataset was paused and what to do, unless a person paused it and knows."""
    pause = counts.pause
    if pause is None or pause.reason == "manual":
        return []
    code, subcode = (int(text) if text else None for text in (pause.code, pause.subcode))
    told = explain(pause.reason, code, subcode)
    return [f"Dataset {counts.dataset_id} is paused: {told.cause} {told.fix}"]
