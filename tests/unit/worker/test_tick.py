"""How many hints a tick publishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.tick import hints_wanted

counts = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("eligible", "queued", "cap", "wanted"),
    [(0, 0, 64, 0), (5, 0, 64, 5), (5, 3, 64, 2), (5, 9, 64, 0), (1000, 0, 64, 64), (1000, 60, 64, 4)],
)
def test_one_hint_a_lane_as_far_as_the_cap(eligible: int, queued: int, cap: int, wanted: int) -> None:
    assert hints_wanted(eligible, queued, cap) == wanted


@given(counts, counts, st.integers(1, 1000))
def test_the_queue_never_passes_the_cap_or_the_lanes(eligible: int, queued: int, cap: int) -> None:
    wanted = hints_wanted(eligible, queued, cap)

    assert wanted >= 0
    assert wanted == 0 or queued + wanted <= min(eligible, cap)
