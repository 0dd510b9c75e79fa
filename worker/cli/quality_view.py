"""The match quality as ``status`` and ``validate`` show it: as JSON and as tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.match_quality import Summary
from worker.cli.console import number, percent, safe, table
from worker.quality import Quality

_NOTHING_YET = "There is no match quality yet: nothing was delivered since it is counted."


def as_json(quality: Quality) -> dict[str, Any]:
    """Return a dataset's as ``status --json`` has it; without samples there is no score."""
    return {
        "score": quality.overall.score if quality.sampled else None,
        "missing": _missing(quality.overall),
        "warnings": dict(quality.warnings),
        "sampled": quality.sampled,
        "events": {each.event_name: _of_name(each) for each in quality.names},
    }


def match_table(rows: Iterable[tuple[str, Summary]]) -> Table:
    """Show the match quality of datasets' events by name."""
    view = table("Dataset", "Event", "Events", "Match\n0 - 10", "Add first", right=(2, 3))
    for dataset_id, each in rows:
        view.add_row(
            safe(dataset_id), safe(each.event_name), number(each.events), f"{each.score:.1f}", safe(each.advice or "-")
        )
    return view


def quality_view(found: Mapping[str, Quality]) -> RenderableType:
    """Return what ``status --quality`` shows a person."""
    sampled = {dataset_id: quality for dataset_id, quality in found.items() if quality.sampled}
    if not sampled:
        return Text(_NOTHING_YET)
    match = match_table((dataset_id, each) for dataset_id, quality in sampled.items() for each in quality.names)
    warnings = table("Dataset", "Warning", "Events", "Share", right=(2, 3))
    for dataset_id, quality in sampled.items():
        for code, count in quality.warnings.items():
            warnings.add_row(safe(dataset_id), safe(code), number(count), percent(count / quality.sampled))
    parts: list[RenderableType] = [Text("Of a sample of what was delivered of late:\n"), match]
    return Group(*parts, Text(), warnings) if warnings.row_count else Group(*parts)


def _of_name(summary: Summary) -> dict[str, Any]:
    return {
        "score": summary.score,
        "missing": _missing(summary),
        "sampled": summary.events,
        "add_first": summary.advice,
    }


def _missing(summary: Summary) -> dict[str, float]:
    """Return the share of events without each identifier, of those that could carry it; most worth adding first."""
    return {each.name: round(each.share, 3) for each in summary.missing}
