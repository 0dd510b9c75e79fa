"""The age Meta takes."""

import pytest

from schemas import event_window

DAY = 86_400
NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("age_seconds", "window"),
    [
        (-61, "future"),
        (-60, "ok"),
        (0, "ok"),
        (7 * DAY - 300, "ok"),
        (7 * DAY - 299, "too_old"),
        (NOW, "too_old"),
        (NOW + 5, "too_old"),
    ],
)
def test_an_event_may_be_seven_days_old_less_a_margin(age_seconds: int, window: str) -> None:
    assert event_window(NOW - age_seconds, "website", NOW) == window


@pytest.mark.parametrize(("age_seconds", "window"), [(62 * DAY - 300, "ok"), (62 * DAY - 299, "too_old")])
def test_a_sale_in_a_store_may_be_62_days_old_less_a_margin(age_seconds: int, window: str) -> None:
    assert event_window(NOW - age_seconds, "physical_store", NOW) == window


@pytest.mark.parametrize("action_source", ["other", "system_generated", None])
def test_no_other_source_has_the_long_window(action_source: str | None) -> None:
    assert event_window(NOW - 8 * DAY, action_source, NOW) == "too_old"


def test_milliseconds_look_like_the_far_future() -> None:
    assert event_window(NOW * 1000, "website", NOW) == "future"
