"""Write the tables of the documentation from the results: ``python -m benchmarks report``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gates import GATES
from benchmarks.results import read_all

_ROOT = Path(__file__).parents[1]
PAGES = (Path(__file__).parent / "README.md", _ROOT / "docs" / "performance.md")
_MARKED = re.compile(r"(<!-- benchmarks:(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write_tables() -> list[Path]:
    """Rewrite what stands between the markers of each page; return the pages that have some."""
    results = read_all()
    written = []
    for page in PAGES:
        if page.exists():
            page.write_text(_MARKED.sub(lambda found: found[1] + table(found[2], results) + found[3], page.read_text()))
            written.append(page)
    return written


def table(name: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of one subject, or ``gates`` or ``machine``."""
    if name == "gates":
        return gate_table(results)
    if name == "machine":
        return "".join(_machines(results))
    if name not in results:
        return f"Not measured yet: `python -m benchmarks {name}`.\n"
    return "".join(_subject(results[name]))


def shown(value: float) -> str:
    """Return a number with three digits that count."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def gate_table(results: Mapping[str, Mapping[str, Any]], *, only_measured: bool = False) -> str:
    """Return the goals beside what was measured."""
    return "".join(_gates(results, only_measured=only_measured))


def _gates(results: Mapping[str, Mapping[str, Any]], *, only_measured: bool) -> Iterator[str]:
    yield "| what | goal | measured | |\n|---|---|---|---|\n"
    for gate in GATES:
        value = gate.measured(results)
        if value is None and only_measured:
            continue
        found = "" if value is None else shown(value)
        verdict = "not measured" if value is None else "pass" if gate.met(value) else "**short**"
        yield f"| {gate.what} | {gate.side} {shown(gate.limit)} | {found} | {verdict} |\n"


def _machines(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| subject | date | rounds | machine | Python | load before | command |\n|---|---|---|---|---|---|---|\n"
    for name, result in results.items():
        machine = result["machine"]
        where = f"{machine['cores']} x {machine['cpu']}, {machine['memory_gb']} GB"
        yield f"| {name} | {result['date']} | {result['rounds']} | {where} | {result['versions']['python']} "
        yield f"| {machine['load_before']} | `{result['command']}` |\n"


def _subject(result: Mapping[str, Any]) -> Iterator[str]:
    yield "| what | median | lowest to highest | unit |\n|---|---|---|---|\n"
    for figure in result["figures"].values():
        spread = f"{shown(figure['low'])} to {shown(figure['high'])}" if len(figure["values"]) > 1 else ""
        yield f"| {figure['label']} | {shown(figure['median'])} | {spread} | {figure['unit']} |\n"
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    yield f"\n{' '.join(result['notes'])} `{result['command']}`, {result['date']}; {versions}.\n"
