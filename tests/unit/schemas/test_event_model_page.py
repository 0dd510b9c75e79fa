"""The page about the event model names what the code has."""

import re
from pathlib import Path

import pytest

from schemas.event import ACTION_SOURCES
from schemas.lint_codes import LINT_MESSAGES
from schemas.match_quality import FACTORS
from schemas.messaging import CHANNELS

PAGE = (Path(__file__).parents[3] / "docs" / "event-model.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(LINT_MESSAGES.keys() | ACTION_SOURCES | CHANNELS))
def test_every_lint_code_source_and_channel_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_lint_codes_on_the_page_are_those_of_the_code() -> None:
    section = PAGE.partition("## The linter")[2].partition("## ")[0]
    named = {
        code for row in re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)
    }

    assert named == LINT_MESSAGES.keys()


def test_the_points_on_the_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([0-9.]+) \| ([^|]+) \|$", PAGE.partition("## Match quality")[2], re.MULTILINE)

    assert [(float(points), why.strip()) for _, points, why in rows] == [(each.points, each.why) for each in FACTORS]
