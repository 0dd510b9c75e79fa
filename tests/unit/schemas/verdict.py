"""The verdict on an event in its shortest form, for the tests of the schemas."""

from collections.abc import Mapping
from typing import Any

from schemas import problems_of


def verdict(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return path and code of every problem."""
    return [(problem.path, problem.code) for problem in problems_of(event)]
