"""Write the tables of docs/errors.md from the code table and its explanations: ``python -m docs.errors_page``."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from worker.error_table import ROWS, STATUS_ROWS, Row, StatusRow
from worker.explain import explain

PAGE = Path(__file__).parent / "errors.md"
GROUPS = {
    "token": ("token", ("token",)),
    "blocked": ("blocked", ("dataset",)),
    "limits": ("rate_limited", ("app limit", "dataset limit")),
    "unknown": ("unknown_code", ("unknown",)),
    "large": ("too_large", ("too large",)),
    "transient": ("transient", ("transient",)),
}
"""Table of the page -> reason by which it is explained, verdicts in it."""

_MARKED = re.compile(r"(<!-- errors:(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(page: str) -> str:
    """Return the page with what stands between its markers written anew."""
    return _MARKED.sub(lambda found: found[1] + "\n".join(_lines(found[2])) + "\n" + found[3], page)


def _lines(name: str) -> Iterator[str]:
    if name == "events":
        yield from ("| subcode | cause | fix | known from |", "|---|---|---|---|")
        for row in ROWS:
            if row.verdict == "event" and row.subcodes is not None:
                said = explain("rejected", row.codes.start, row.subcodes.start)
                cause = said.cause.replace("<", "&lt;")  # Markdown would take it for HTML
                yield f"| {_numbers(row.subcodes)} | {cause} | {said.fix} | {row.source} |"
        return
    reason, verdicts = GROUPS[name]
    said = explain(reason, None, None)
    yield f"{said.cause} {said.fix}"
    yield from ("", "| code | what Meta says | known from |", "|---|---|---|")
    for row in ROWS:
        if row.verdict in verdicts:
            yield f"| {_code(row)} | {row.meaning} | {row.source} |"
    for status in STATUS_ROWS:
        if status.verdict in verdicts:
            yield f"| {_status(status)} | {status.meaning} | {status.source} |"


def _code(row: Row) -> str:
    return _numbers(row.codes) + (f", subcode {_numbers(row.subcodes)}" if row.subcodes is not None else "")


def _status(row: StatusRow) -> str:
    return f"HTTP {_numbers(row.statuses)} without " + ("an error in the answer" if row.bare else "a code")


def _numbers(numbers: range) -> str:
    if len(numbers) == 1:
        return str(numbers.start)
    return "below 0" if numbers.stop == 0 else f"{numbers.start} to {numbers[-1]}"


def verdicts_shown() -> Iterable[str]:
    """Return every verdict that has a table."""
    return ["event", *(verdict for _, verdicts in GROUPS.values() for verdict in verdicts)]


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
