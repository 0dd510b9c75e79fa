"""The page of faults names tests: each must exist, and no fault may be forgotten."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[^`]+::[^`]+)`", PAGE)))
FAULTS = 82


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Return the names of a file's test functions."""
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("test", NAMED)
def test_a_test_that_the_page_names_exists(test: str) -> None:
    path, _, name = test.partition("::")

    assert name in functions_of(ROOT / path)


def test_every_fault_has_a_row() -> None:
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == list(range(1, FAULTS + 1))
