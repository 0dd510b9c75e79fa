import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.console import doors_text, duration, iso, moment, number, percent, safe


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_061, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "-"), (1.0, "100 %"), (0.99996, "99.9 %"), (0.5, "50 %"), (0, "0 %")]
)
def test_a_share_is_never_rounded_up_to_a_whole(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_a_number_is_grouped_for_people() -> None:
    assert number(1_234_567) == "1,234,567"


def test_a_time_is_utc_for_programs_and_for_people() -> None:
    assert iso(1_764_000_000_123) == "2025-11-24T16:00:00.123+00:00"
    assert moment("2025-11-24T16:00:00.123+00:00") == "2025-11-24 16:00:00"


def test_empty_doors_are_left_out() -> None:
    assert doors_text({"invalid": 3, "rejected": 0, "expired": 1200}) == "invalid 3, expired 1,200"


@given(st.text())
def test_no_foreign_text_brings_a_control_character_to_the_terminal(text: str) -> None:
    assert all(unicodedata.category(char) not in {"Cc", "Cs"} for char in safe(text).plain)
