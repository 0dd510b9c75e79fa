"""``status``: what waits, what was delivered and how fresh, what is dead, what is paused."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from worker.cli.console import doors_text, duration, json_option, number, out, percent, print_json, safe, table
from worker.cli.counts import MANUAL, paused_of, status_of, totals_of
from worker.cli.opening import known_ids, opened_store
from worker.cli.quality_view import as_json as quality_json
from worker.cli.quality_view import quality_view
from worker.explain import explain
from worker.quality import Quality, quality_of
from worker.settings import Settings, load
from worker.store import DatasetCounts, Pause, Store

_WATCH_SECONDS = 1.0
_COLUMNS = ("Dataset", "Enqueued", "Waiting", "In\nflight", "Delivered", "Fresh", "Dead", "Oldest")


@click.command(
    "status", short_help="Show what waits, was delivered, is paused.", epilog="Example: python -m worker status --watch"
)
@click.option("--watch", is_flag=True, help="Show it anew each second, until Ctrl-C.")
@click.option("--quality", is_flag=True, help="Show what the delivered events lack instead: identifiers, warnings.")
@json_option
def command(*, watch: bool, quality: bool, as_json: bool) -> None:
    """Show for each dataset what waits, what was delivered and what was not.

    Fresh: the share delivered within an hour, of what was younger than that when it was enqueued. Dead: dead letters.
    Oldest: how long the oldest waiting event has waited. Match quality: an estimate, 0 to 10, of how well Meta can
    match the delivered events to people.
    """
    if watch and as_json:
        raise click.UsageError("--watch is for people: run --json again and again instead")
    settings = load()
    with opened_store(settings) as store:
        if as_json:
            print_json(_read(settings, store).as_json())
        elif watch:
            _watch(settings, store, quality=quality)
        else:
            out().print(_read(settings, store).view(quality=quality))


@dataclass(frozen=True, slots=True)
class _Status:
    found: Sequence[DatasetCounts]
    qualities: Mapping[str, Quality]

    def as_json(self) -> dict[str, Any]:
        datasets = {
            each.dataset_id: {**status_of(each), "quality": quality_json(self.qualities[each.dataset_id])}
            for each in self.found
        }
        return {"datasets": datasets, "totals": totals_of(self.found)}

    def view(self, *, quality: bool) -> RenderableType:
        return quality_view(self.qualities) if quality else view_of(self.found, self.qualities)


def _read(settings: Settings, store: Store) -> _Status:
    ids = known_ids(settings, store)
    return _Status(
        [store.admin.counts(each) for each in ids], {each: quality_of(store.quality.read(each)) for each in ids}
    )


def _watch(settings: Settings, store: Store, *, quality: bool) -> None:
    try:
        with Live(_read(settings, store).view(quality=quality), console=out(), auto_refresh=False) as live:
            while True:
                time.sleep(_WATCH_SECONDS)
                live.update(_read(settings, store).view(quality=quality), refresh=True)
    except KeyboardInterrupt:
        return


def view_of(found: Sequence[DatasetCounts], qualities: Mapping[str, Quality] | None = None) -> RenderableType:
    """Return what a person sees."""
    if not found:
        return Text("There is no dataset yet: none is configured and nothing was enqueued.")
    view = table(*_COLUMNS, right=range(1, len(_COLUMNS)))
    for counts in found:
        view.add_row(counts.dataset_id, *_cells(status_of(counts)))
    totals = totals_of(found)
    if len(found) > 1:
        view.add_section()
        view.add_row("all", *_cells(totals), style="bold")
    doors = {door: count for door, count in totals["doors"].items() if door != "delivered"}
    lines = [f"Not delivered: {doors_text(doors)}"] if any(doors.values()) else []
    lines += [_pause_text(counts, counts.pause) for counts in found if counts.pause]
    lines += _match_lines(qualities or {})
    return Group(view, *(Text.assemble("\n", safe(line)) for line in lines))


def _match_lines(qualities: Mapping[str, Quality]) -> list[str]:
    """Return one line for all datasets: the table has no room for another column on 80 columns."""
    scores = [f"{name} {quality.overall.score:.1f}" for name, quality in qualities.items() if quality.sampled]
    return [f"Match quality, 0 to 10 (--quality tells more): {', '.join(scores)}"] if scores else []


def _cells(status: dict[str, Any]) -> list[str]:
    counted = [number(status[name]) for name in ("enqueued", "waiting", "in_flight", "delivered")]
    share, age = percent(status["share_within_hour"]), duration(status["oldest_age_seconds"])
    return [*counted, share, number(status["dead_letters"]), age]


def _pause_text(counts: DatasetCounts, pause: Pause) -> str:
    """Say why a dataset is paused, for how long, and what to do unless a person paused it and knows."""
    until = "until it is resumed"
    if pause.until_ms is not None:
        until = f"for {duration(ceil((pause.until_ms - counts.now_ms) / 1000))}"
    paused = f"Dataset {counts.dataset_id} is paused {until} ({paused_of(pause)['reason']})"
    if pause.reason == MANUAL:
        return f"{paused}."
    code, subcode = (int(text) if text else None for text in (pause.code, pause.subcode))
    told = explain(pause.reason, code, subcode)
    return f"{paused}: {told.cause} {told.fix}"
