"""What ``validate`` tells a person: the problems of the first events, and at the end what was found in all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from schemas.batch_lint import BatchLint
from schemas.lint_codes import UNTIMELY
from schemas.match_quality import MatchQuality
from worker.cli.console import number, out, plain_or_grouped, safe, table
from worker.cli.event_files import Found
from worker.cli.quality_view import match_table
from worker.scrub import escape

_MAX_CODES = 200
_UNTIMELY_TEXTS = {"too_old": "too old to be taken now: ", "in_the_future": "in the future, not taken now: "}


@dataclass(slots=True)
class _Finding:
    """One code: on how many events, and the first of them."""

    events: int
    first: int
    text: str


class Findings:
    """Collects reports one by one, in memory that does not grow with the file."""

    def __init__(self, *, shown_events: int) -> None:
        self.valid = 0
        self.invalid = 0
        self.untimely = Counter[str]()
        self._shown = {"errors": shown_events, "warnings": shown_events}
        self._found: dict[str, dict[str, _Finding]] = {"errors": {}, "warnings": {}}
        self._batch = BatchLint()
        self._quality = MatchQuality()

    def add(self, found: Found, dataset_id: str, report: Mapping[str, Any]) -> None:
        """Take the next event's report, and tell its problems if it is among the first that have any."""
        if not report["valid"]:
            self.invalid += 1
        elif code := untimely(report):
            self.untimely[code] += 1
        else:
            self.valid += 1
        for kind in ("errors", "warnings"):
            problems = report[kind]
            self._count(kind, found.number, problems)
            if problems and self._shown[kind]:
                self._shown[kind] -= 1
                _tell(found, "warning: " if kind == "warnings" else "", problems)
        if report["event"] is not None:
            self._batch.add(report["event"], number=found.number)
            self._quality.add(dataset_id, report["event"])

    def tell(self) -> None:
        """Print the summary."""
        console = out()
        counts = {"valid ": self.valid, "invalid ": self.invalid}
        counts |= {text: self.untimely[code] for code, text in _UNTIMELY_TEXTS.items() if self.untimely[code]}
        console.print(", ".join(f"{text}{plain_or_grouped(count)}" for text, count in counts.items()))
        for kind, title in (("errors", "What Meta would refuse"), ("warnings", "Warnings")):
            if self._found[kind]:
                console.print(Text(f"\n{title}:"), _codes(self._found[kind]), sep="\n")
        if problems := self._batch.problems():
            console.print(Text("\nOver all events:"))
            for problem in problems:
                console.print(escape(f"{problem.code}: {problem.path}: {problem.message}"), soft_wrap=True)
        if summaries := self._quality.summaries():
            rows = ((dataset_id, each) for dataset_id, listed in summaries.items() for each in listed)
            console.print(Text("\nMatch quality, an estimate from what is there:"), match_table(rows), sep="\n")

    def _count(self, kind: str, event: int, problems: Iterable[Mapping[str, str]]) -> None:
        """Count each code once an event."""
        codes = self._found[kind]
        for problem in {each["code"]: each for each in reversed(list(problems))}.values():
            if problem["code"] in codes:
                codes[problem["code"]].events += 1
            elif len(codes) < _MAX_CODES:
                codes[problem["code"]] = _Finding(1, event, _text(problem))


def untimely(report: Mapping[str, Any]) -> str | None:
    """Return why Meta would refuse an event now because of its time alone; None if it would not."""
    return next((each["code"] for each in report["warnings"] if each["code"] in UNTIMELY), None)


def _codes(found: Mapping[str, _Finding]) -> Table:
    view = table("Code", "Events", "First\nevent", "There", right=(1, 2))
    for code, each in sorted(found.items(), key=lambda pair: (-pair[1].events, pair[0])):
        view.add_row(code, number(each.events), number(each.first), safe(each.text))
    return view


def _tell(found: Found, kind: str, problems: Iterable[Mapping[str, str]]) -> None:
    for problem in problems:
        told = f"event {found.number} (line {found.line}): {kind}{_text(problem)}"
        out().print(escape(told), soft_wrap=True)


def _text(problem: Mapping[str, str]) -> str:
    return f"{problem['path']}: {problem['message']}" if problem["path"] else problem["message"]
