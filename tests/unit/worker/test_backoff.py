import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.backoff import blocked_seconds, full_jitter_ms, limited_ms, slow_down_ms, stagger_seconds

tries = st.integers(min_value=-5, max_value=10**9)
chance = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(tries, chance)
def test_full_jitter_stays_between_nothing_and_the_cap(tries: int, random: float) -> None:
    wait = full_jitter_ms(tries, random)

    assert 0 <= wait <= 300_000


@given(st.integers(min_value=1, max_value=40), chance)
def test_full_jitter_never_shrinks_with_further_tries(tries: int, random: float) -> None:
    assert full_jitter_ms(tries, random) <= full_jitter_ms(tries + 1, random)


def test_full_jitter_doubles_its_ceiling_with_each_try() -> None:
    ceilings = [full_jitter_ms(tries, 1.0) for tries in (1, 2, 3, 4)]

    assert ceilings == [1000, 2000, 4000, 8000]


def test_full_jitter_takes_its_own_base_and_cap() -> None:
    waits = [full_jitter_ms(tries, 0.5, base_ms=100, cap_ms=300) for tries in (1, 2, 3, 99)]

    assert waits == [50, 100, 150, 150]


@given(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), tries, chance)
def test_a_pause_after_a_limit_is_at_least_a_second_and_at_most_an_hour_and_a_fifth(
    hint: float | None, tries: int, random: float
) -> None:
    wait = limited_ms(hint, tries, random)

    assert 1000 <= wait <= 4_320_000


@given(st.floats(min_value=1, max_value=3600), tries, chance)
def test_chance_only_adds_to_what_meta_asks_for(hint: float, tries: int, random: float) -> None:
    assert limited_ms(hint, tries, random) >= int(hint * 1000)


def test_without_a_hint_the_pause_doubles_from_a_minute_to_an_hour() -> None:
    pauses = [limited_ms(None, tries, 0.0) // 1000 for tries in (0, 1, 2, 3, 6, 7, 99)]

    assert pauses == [60, 60, 120, 240, 1920, 3600, 3600]


def test_a_hint_beyond_an_hour_is_cut() -> None:
    assert limited_ms(1e9, 1, 0.0) == 3_600_000


def test_a_block_doubles_from_its_first_length_to_an_hour() -> None:
    blocks = [blocked_seconds(900, failures, 0.0) for failures in (0, 1, 2, 3, 4, 10**9)]

    assert blocks == [900, 900, 1800, 3600, 3600, 3600]


def test_a_block_that_begins_with_an_hour_stays_there() -> None:
    assert [blocked_seconds(3600, failures, 0.0) for failures in (1, 2, 3)] == [3600] * 3


@given(st.integers(1, 10**6), chance)
def test_chance_adds_at_most_a_fifth_to_a_block(failures: int, random: float) -> None:
    plain = blocked_seconds(900, failures, 0.0)

    assert plain <= blocked_seconds(900, failures, random) <= 1.2 * plain


def test_datasets_of_one_token_come_back_five_seconds_apart() -> None:
    assert [stagger_seconds(place, 3) for place in range(3)] == [0, 5, 10]


@given(st.integers(1, 10**6), st.data())
def test_all_datasets_of_a_token_come_back_within_five_minutes_each_at_its_own_time(
    count: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, count - 1))

    assert 0 <= stagger_seconds(place, count) < stagger_seconds(place + 1, count) <= 300


@pytest.mark.parametrize(
    ("percent", "rest_ms"),
    [(0, 0), (74.9, 0), (75, 1000), (80, 2000), (85, 4000), (90, 8000), (95, 16_000), (100, 32_000), (1e9, 32_000)],
)
def test_a_lane_rests_the_longer_the_more_of_the_limit_is_used(percent: float, rest_ms: int) -> None:
    assert slow_down_ms(percent, 0.0) == rest_ms


@given(st.floats(allow_nan=True, allow_infinity=True), chance)
def test_whatever_the_percent_a_rest_has_its_bounds(percent: float, random: float) -> None:
    assert 0 <= slow_down_ms(percent, random) <= 38_400
