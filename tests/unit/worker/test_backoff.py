from hypothesis import given
from hypothesis import strategies as st

from worker.backoff import full_jitter_ms, limited_ms

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
