"""``status``: what waits, what was delivered and how fresh, what is dead, what is paused."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from worker.cli.console import Seconds, doors_text, duration, json_option, number, out, percent, print_json, safe, table
from worker.cli.counts import MANUAL, paused_of, status_of, totals_of
from worker.cli.opening import DATASET_ID, known_ids, opened_store
from worker.cli.quality_view import as_json as quality_json
from worker.cli.quality_view import quality_view
from worker.cli.watch import Watch, watch
from worker.cli.watch_view import by_attention
from worker.cli.workers_view import unreached_lines
from worker.explain import explain
from worker.quality import Quality, quality_of
from worker.settings import Settings, load
from worker.store import DatasetCounts, Pause, Store, WorkerSign

_LISTED = 40
_COLUMNS = ("Dataset", "Enqueued", "Waiting", "In\nflight", "Delivered", "Fresh", "Dead", "Oldest")


@click.command(
    "status", short_help="Show what waits, was delivered, is paused.", epilog="Example: python -m worker status --watch"
)
@click.option("--watch", "watching", is_flag=True, help="Show it anew again and again, until Ctrl-C.")
@click.option(
    "--interval",
    "interval_seconds",
    type=Seconds(0.2, at_most=3600),
    default=2,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: how long to wait between two views.",
)
@click.option("--dataset", "dataset_ids", type=DATASET_ID, multiple=True, help="Only this one; repeat for more.")
@click.option(
    "--all", "every", is_flag=True, help=f"List all datasets, and not just {_LISTED} that need attention most."
)
@click.option("--quality", is_flag=True, help="Show what the delivered events lack instead: identifiers, warnings.")
@json_option
def command(
    *, watching: bool, interval_seconds: float, dataset_ids: tuple[str, ...], every: bool, quality: bool, as_json: bool
) -> None:
    """Show for each dataset what waits, what was delivered and what was not.

    Fresh: the share delivered within an hour, of what was younger than that when it was enqueued. Dead: dead letters.
    Oldest: how long the oldest waiting event has waited. Match quality: an estimate, 0 to 10, of how well Meta can
    match the delivered events to people. Those datasets come first that need attention; --json has all of them, by id.
    --watch also shows what each delivers per minute; in a pipe it prints a block each time.
    """
    if watching and (as_json or quality or every):
        raise click.UsageError("--watch is for people and shows its own view: leave out --json, --quality and --all")
    settings = load()
    with opened_store(settings) as store:
        if watching:
            view = Watch(settings, store, known_ids(settings, store), dataset_ids)
            watch(view, interval_seconds=interval_seconds)
            return
        status = _read(settings, store, dataset_ids)
        if as_json:
            print_json(status.as_json())
        else:
            rows = len(status.found) if every or dataset_ids else _LISTED
            out().print(status.view(quality=quality, rows=rows, freshness_seconds=settings.freshness_seconds))


@dataclass(frozen=True, slots=True)
class _Status:
    found: Sequence[DatasetCounts]
    qualities: Mapping[str, Quality]
    workers: Sequence[WorkerSign]

    def as_json(self) -> dict[str, Any]:
        datasets = {
            each.dataset_id: {**status_of(each), "quality": quality_json(self.qualities[each.dataset_id])}
            for each in self.found
        }
        return {"datasets": datasets, "totals": totals_of(self.found), "workers": len(self.workers)}

    def view(self, *, quality: bool, rows: int, freshness_seconds: float) -> RenderableType:
        found = by_attention(self.found, freshness_seconds=freshness_seconds)
        if quality:
            sampled = [each.dataset_id for each in found if self.qualities[each.dataset_id].sampled]
            return Group(quality_view({each: self.qualities[each] for each in sampled[:rows]}), *_left(sampled, rows))
        alive = f"Workers alive: {number(len(self.workers))}." if self.workers else "No worker is alive: events wait."
        unreached = unreached_lines(self.workers, now_ms=time.time() * 1000)
        return Group(view_of(found, self.qualities, rows=rows), Text(f"\n{alive}"), *map(safe, unreached))


def _read(settings: Settings, store: Store, only: Sequence[str]) -> _Status:
    ids = sorted(set(only)) or known_ids(settings, store)
    qualities = store.quality.read_each(ids)
    found = sorted(store.overview.read(ids), key=lambda counts: counts.dataset_id)
    return _Status(found, {each: quality_of(qualities[each]) for each in ids}, store.workers.seen())


def view_of(
    found: Sequence[DatasetCounts], qualities: Mapping[str, Quality] | None = None, *, rows: int = _LISTED
) -> RenderableType:
    """Return what a person sees: so many datasets at most, and the sums of all."""
    if not found:
        return Text("There is no dataset yet: none is configured and nothing was enqueued.")
    view = table(*_COLUMNS, right=range(1, len(_COLUMNS)))
    for counts in found[:rows]:
        view.add_row(safe(counts.dataset_id), *_cells(status_of(counts)))
    totals = totals_of(found)
    if len(found) > 1:
        view.add_section()
        view.add_row("all", *_cells(totals), style="bold")
    doors = {door: count for door, count in totals["doors"].items() if door != "delivered"}
    again = f"; replayed {number(totals['replayed'])}" if totals["replayed"] else ""  # these came in once more
    lines = [f"Not delivered: {doors_text(doors)}{again}"] if again or any(doors.values()) else []
    lines += [_pause_text(counts, counts.pause) for counts in found[:rows] if counts.pause]
    lines += _match_lines({each.dataset_id: qualities[each.dataset_id] for each in found[:rows]} if qualities else {})
    return Group(view, *_left(found, rows), *(Text.assemble("\n", safe(line)) for line in lines))


def _left(found: Sequence[object], rows: int) -> list[Text]:
    """Say how many are left out."""
    return [Text(f"and {number(len(found) - rows)} more: --all shows them")] if len(found) > rows else []


def _match_lines(qualities: Mapping[str, Quality]) -> list[str]:
    """Return one line for these datasets: the table has no room for another column on 80 columns."""
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
