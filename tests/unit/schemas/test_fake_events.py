"""The events that all test suites use are what they promise to be."""

import json

import pytest

from capi_relay.personal import protect
from schemas import problems_of
from tests.fakes.events import bad_events, mixed, purchase, raw_purchase


def test_a_purchase_is_as_large_as_a_real_one() -> None:
    assert 1300 < len(json.dumps(purchase(), separators=(",", ":"))) < 1500


def test_a_raw_purchase_would_be_refused_for_its_raw_personal_data() -> None:
    assert {problem.code for problem in problems_of(raw_purchase(1))} == {"not_hashed"}


def test_the_mix_is_the_same_for_the_same_seed() -> None:
    assert mixed(50, seed=7, now=1_800_000_000) == mixed(50, seed=7, now=1_800_000_000)


def test_the_mix_differs_by_seed_and_has_no_event_id_twice() -> None:
    events = mixed(500, seed=1, now=1_800_000_000)

    assert events != mixed(500, seed=2, now=1_800_000_000)
    assert len({event["event_id"] for event in events}) == 500


def test_the_mix_is_invalid_for_raw_personal_data_alone() -> None:
    codes = {problem.code for event in mixed(500, seed=3) for problem in problems_of(event)}

    assert codes == {"not_hashed"}


def test_the_mix_is_valid_once_the_producer_has_hashed_it() -> None:
    problems = [problem for event in mixed(500, seed=4) for problem in problems_of(protect(event)[0])]

    assert problems == []


@pytest.mark.parametrize("name", sorted(bad_events()))
def test_a_bad_event_is_still_bad_when_the_producer_has_been_over_it(name: str) -> None:
    event, _warnings = protect(bad_events()[name])

    assert len(problems_of(event)) == 1


@pytest.mark.parametrize("name", sorted(bad_events()))
def test_a_bad_event_is_bad_for_one_reason(name: str) -> None:
    assert len(problems_of(bad_events()[name])) == 1
