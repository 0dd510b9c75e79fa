from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.fields import KNOWN
from capi_relay.hashing import SHA256_OF_NOTHING
from schemas.match_quality import FACTORS, FULL, MatchQuality, counts, score, summary
from tests.fakes.events import digest, lead, mixed, purchase

KEYS = st.sampled_from(sorted(KNOWN))
USER_DATA = st.dictionaries(KEYS, st.just(digest("x")) | st.lists(st.just(digest("y"))) | st.none())
SOURCES = st.sampled_from(["website", "app", "physical_store", "business_messaging", None, 7])
EVENTS = st.fixed_dictionaries({"event_name": st.sampled_from(["Purchase", "Lead"]), "user_data": USER_DATA}).flatmap(
    lambda event: SOURCES.map(lambda source: event | {"action_source": source})
)


def quality_of(events: list[dict[str, Any]]) -> MatchQuality:
    quality = MatchQuality()
    for event in events:
        quality.add("1", event)
    return quality


def without(event: dict[str, Any], *keys: str) -> dict[str, Any]:
    return event | {"user_data": {key: value for key, value in event["user_data"].items() if key not in keys}}


@given(event=EVENTS)
def test_a_score_lies_between_nothing_and_full(event: dict[str, Any]) -> None:
    assert 0.0 <= score(event) <= FULL


@given(event=EVENTS, key=KEYS)
def test_one_identifier_more_never_makes_it_worse(event: dict[str, Any], key: str) -> None:
    richer = event | {"user_data": event["user_data"] | {key: digest("z")}}

    assert score(richer) >= score(event)


def test_the_factors_of_a_web_shop_make_ten_points_together() -> None:
    assert sum(factor.points for factor in FACTORS[:8]) == FULL


def test_all_a_web_shop_can_know_is_full_marks() -> None:
    event = purchase()

    assert score(event | {"user_data": event["user_data"] | {"db": digest("19970216")}}) == FULL


@pytest.mark.parametrize(
    ("user_data", "points"),
    [
        ({}, 0.0),
        ({"em": digest("a")}, 3.0),
        ({"em": [digest("a"), digest("b")], "ph": [digest("c")]}, 5.0),
        ({"client_ip_address": "8.8.8.8"}, 0.0),
        ({"client_ip_address": "8.8.8.8", "client_user_agent": "Mozilla"}, 1.0),
        ({"fn": digest("a"), "ln": digest("b")}, 0.0),
        ({"fn": digest("a"), "ln": digest("b"), "zp": digest("c")}, 0.5),
        ({"lead_id": 1234567890123456}, 9.0),
        ({"em": SHA256_OF_NOTHING, "ph": [""], "external_id": " ", "db": None}, 0.0),
    ],
    ids=str,
)
def test_each_identifier_counts_its_points(user_data: dict[str, Any], points: float) -> None:
    assert score({"user_data": user_data}) == points


@pytest.mark.parametrize(
    "event", [{}, {"user_data": None}, {"user_data": [1]}, {"event_name": [], "user_data": {"em": {}}}]
)
def test_odd_events_are_scored_too(event: dict[str, Any]) -> None:
    assert score(event) in {0.0, 3.0}
    assert counts(event)["events"] == 1


def test_what_is_missing_is_told_with_its_share_and_event() -> None:
    events = [without(purchase(), "ph") for _ in range(62)] + [purchase() for _ in range(38)]
    ((found,),) = quality_of(events).summaries().values()

    assert found.advice == "`ph` is missing in 62 % of Purchase"


def test_what_adds_most_comes_first() -> None:
    events = [without(purchase(), "fbp")] * 9 + [without(purchase(), "em")]

    found = summary("Purchase", sum(map(counts, events), Counter()))

    assert found.advice == "`fbp` is missing in 90 % of Purchase"


def test_a_click_id_is_not_asked_for_because_not_everybody_clicks() -> None:
    assert summary("Purchase", counts(without(purchase(), "fbc"))).advice is None


def test_what_an_event_cannot_carry_is_not_missing() -> None:
    names = {each.name for each in summary("Lead", counts(lead())).missing}

    assert not names & {"fbc", "fbp", "client_ip_address + client_user_agent", "madid"}


def test_where_nothing_would_help_there_is_no_advice() -> None:
    event = lead(user_data={"lead_id": 1234567890123456, "em": digest("a")})

    assert (score(event), summary("Lead", counts(event)).advice) == (FULL, None)


@pytest.mark.parametrize(("lacking", "share"), [(1, "1 %"), (999, "99 %"), (1000, "100 %"), (625, "62 %")])
def test_a_share_is_never_rounded_to_all_or_nothing_that_it_is_not(lacking: int, share: str) -> None:
    counted = counts(purchase())
    several = Counter({key: number * 1000 for key, number in counted.items()})
    several.update({"missing.em": lacking, "gain.em": 30 * lacking})

    assert summary("Purchase", several).advice == f"`em` is missing in {share} of Purchase"


@given(one=st.lists(EVENTS, max_size=5), other=st.lists(EVENTS, max_size=5))
def test_two_counted_apart_and_merged_are_all_counted_together(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    merged = quality_of(one)
    merged.merge(quality_of(other))

    assert merged.counts == quality_of(one + other).counts


@given(events=st.lists(EVENTS, min_size=1, max_size=8))
def test_an_average_lies_among_the_scores(events: list[dict[str, Any]]) -> None:
    found = summary("all", sum(map(counts, events), Counter()))
    scores = [score(event) for event in events]

    assert min(scores) - 0.05 <= found.score <= max(scores) + 0.05


def test_counters_are_whole_numbers_under_stable_names() -> None:
    counted = counts(without(purchase(), "ph"))

    assert all(type(number) is int for number in counted.values())
    assert (counted["events"], counted["missing.ph"], counted["gain.ph"], counted["asked.ph"]) == (1, 1, 20, 1)


def test_no_events_have_no_score_and_no_advice() -> None:
    assert summary("Purchase", {}).score == 0.0
    assert summary("Purchase", {}).advice is None


def test_each_dataset_has_its_kinds_of_events_the_most_frequent_first() -> None:
    quality = quality_of(mixed(200, seed=1))
    quality.add("2", purchase())
    found = quality.summaries()

    assert list(found) == ["1", "2"]
    assert found["1"] == sorted(found["1"], key=lambda each: -each.events)


def test_made_up_names_without_end_are_counted_together() -> None:
    quality = quality_of([purchase(event_name=f"Event{n}") for n in range(MatchQuality.MAX_NAMES + 5)])

    assert quality.counts["1", MatchQuality.OTHERS]["events"] == 5
