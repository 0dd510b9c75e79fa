"""Write the tables of docs/metrics.md from the register: ``python -m worker.metrics``."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from worker.metrics.register import COUNTED, OF_DATASETS, OF_INSTALLATION, OF_WORKERS, Metric

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
TABLES = {"counted": COUNTED, "installation": OF_INSTALLATION, "workers": OF_WORKERS, "datasets": OF_DATASETS}
_MARKED = re.compile(r"(<!-- metrics:(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(page: str) -> str:
    """Return the page with what stands between its markers written anew."""
    return _MARKED.sub(lambda found: found[1] + "".join(_table(TABLES[found[2]])) + found[3], page)


def _table(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n"
    for each in metrics:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.kind} | {each.unit} | {labels} | {each.meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
