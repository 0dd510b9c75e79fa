"""pause.lua and resume.lua: a paused dataset's lanes are not taken; a person's word outweighs a machine's."""

from typing import Any, Literal

import pytest

from capi_relay import keys
from tests.integration.store.hand import DATASET, Hand

LANES = [f"{DATASET}/{number}" for number in range(4)]


def pause(
    hand: Hand, reason: str, seconds: float | None, failures: int = 1, scope: Literal["dataset", "token"] = "dataset"
) -> None:
    hand.store.admin.pause(
        DATASET,
        reason=reason,
        seconds=seconds,
        code=190,
        subcode=460,
        fingerprint="f1",
        detail="Say no",
        failures=failures,
        scope=scope,
    )


def run_out(hand: Hand) -> None:
    """Let the time of the pause pass."""
    hand.redis.hset(keys.dataset(0, DATASET), "until", 1)


def pause_that_has_run_out(hand: Hand, **more: Any) -> None:  # noqa: ANN401 - those of pause
    """Leave events in four lanes behind a pause that has just run out."""
    for lane in LANES:
        hand.append("a", "b", lane=lane)
    pause(hand, "blocked", 60, **more)
    assert hand.lease() is None
    run_out(hand)
    for lane in LANES:
        hand.ripen(lane)


def test_a_pause_says_why_and_until_when(hand: Hand) -> None:
    before = hand.now_ms()
    pause(hand, "token", 60)
    found = hand.counts().pause

    assert found
    assert (found.reason, found.code, found.subcode, found.fingerprint, found.detail) == (
        *("token", "190", "460"),
        *("f1", "Say no"),
    )
    assert before + 60_000 <= (found.until_ms or 0) <= hand.now_ms() + 60_000
    assert hand.store.admin.paused_ids() == [DATASET]


def test_the_lanes_of_a_paused_dataset_are_not_taken(hand: Hand) -> None:
    hand.append("a")
    pause(hand, "blocked", 60)

    assert hand.lease() is None
    assert hand.store.lanes.look().lanes == ()


def test_events_are_still_accepted_and_the_lane_stays_held(hand: Hand) -> None:
    hand.append("a")
    pause(hand, "blocked", 60)
    hand.lease()
    hand.append("b")

    assert hand.lease() is None
    assert hand.due() is None


def test_a_pause_ends_by_itself(hand: Hand) -> None:
    hand.append("a")
    pause(hand, "blocked", 0.001)
    run_out(hand)

    assert hand.take().entries


def test_the_first_delivery_after_a_pause_clears_it(hand: Hand) -> None:
    hand.append("a")
    pause(hand, "blocked", 60)
    run_out(hand)
    lease = hand.take()
    before = hand.store.admin.paused_ids()
    hand.settle(lease, lease.entries)

    assert (lease.pause_failures, before) == (1, [DATASET])
    assert hand.store.admin.paused_ids() == []
    assert hand.redis.exists(keys.dataset(0, DATASET)) == 0


def test_a_delivery_during_a_pause_does_not_end_it(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    pause(hand, "blocked", 60)
    hand.settle(lease, lease.entries)

    assert hand.counts().pause


def test_failures_in_a_row_are_counted_and_a_resume_forgets_them(hand: Hand) -> None:
    failures: list[int] = []
    for _ in range(3):
        pause(hand, "blocked", 60, failures=failures[-1] + 1 if failures else 1)
        run_out(hand)
        hand.append("a")
        failures.append((lease := hand.take()).pause_failures)
        hand.settle(lease)
    hand.store.admin.resume(DATASET)

    assert failures == [1, 2, 3]
    assert hand.take().pause_failures == 0


def test_a_pause_that_no_failure_led_to_begins_the_count_anew(hand: Hand) -> None:
    pause(hand, "blocked", 60, failures=5)
    pause(hand, "rate_limited", 90, failures=0)

    assert hand.redis.hget(keys.dataset(0, DATASET), "fails") == b"0"


def test_a_rate_limit_does_not_shorten_a_longer_pause(hand: Hand) -> None:
    pause(hand, "rate_limited", 600)
    pause(hand, "rate_limited", 60)
    longer = hand.counts().pause
    pause(hand, "blocked", 60)
    found = hand.counts().pause

    assert longer
    assert (longer.until_ms or 0) > hand.now_ms() + 590_000
    assert found
    assert (found.reason, (found.until_ms or 0) <= hand.now_ms() + 60_000) == ("blocked", True)


def test_after_a_pause_one_lane_tries_and_the_others_wait_for_its_answer(hand: Hand) -> None:
    pause_that_has_run_out(hand)
    prober = hand.take()
    others = [lane for lane in LANES if lane != prober.lane]
    waits = []
    for lane in others:
        assert hand.lease() is None
        waits.append((hand.held(lane) or 0) - hand.now_ms())

    assert [0 < wait <= 1000 for wait in waits] == [True] * 3


def test_a_delivery_lets_the_other_lanes_go_on(hand: Hand) -> None:
    pause_that_has_run_out(hand)
    prober = hand.take()
    assert hand.lease() is None
    hand.settle(prober, prober.entries[:1], then="part")
    for lane in LANES:
        if lane != prober.lane:
            hand.ripen(lane)
    leased = {hand.take().lane for _ in range(3)}

    assert leased | {prober.lane} == set(LANES)


def test_a_failure_pauses_again_and_nobody_else_has_tried(hand: Hand) -> None:
    pause_that_has_run_out(hand)
    prober = hand.take()
    pause(hand, "blocked", 60, failures=prober.pause_failures + 1)
    hand.settle(prober, then="retry")
    for lane in LANES:
        hand.ripen(lane)

    assert hand.lease() is None
    assert all((hand.held(lane) or 0) > hand.now_ms() + 50_000 for lane in LANES)


def test_a_lane_that_gives_up_without_an_answer_leaves_the_try_to_another(hand: Hand) -> None:
    pause_that_has_run_out(hand)
    first = hand.take()
    hand.settle(first, then="retry", retry_ms=60_000)
    second = hand.take()

    assert second.lane != first.lane
    assert hand.lease() is None


def test_the_try_of_a_worker_that_died_passes_to_another_lane(hand: Hand) -> None:
    pause_that_has_run_out(hand)
    prober = hand.take()
    assert hand.lease() is None
    hand.redis.zrem(keys.held(0), *LANES)
    hand.redis.zadd(keys.held(0), {prober.lane: 1})
    hand.redis.zadd(keys.held(0), {next(lane for lane in LANES if lane != prober.lane): 0})
    again = hand.take()

    assert again.token != prober.token
    assert hand.lease() is None


@pytest.mark.parametrize(("scope", "tests"), [("token", "blocked"), ("dataset", "")])
def test_a_lease_knows_whether_it_tests_the_pause_of_a_whole_token(
    hand: Hand, scope: Literal["dataset", "token"], tests: str
) -> None:
    pause_that_has_run_out(hand, scope=scope)

    assert hand.take().tests_pause == tests


def test_all_pauses_are_read_at_once_without_those_that_have_run_out(hand: Hand) -> None:
    for dataset_id, seconds in (("1", 60.0), ("2", 0.0), ("3", None)):
        hand.store.admin.pause(dataset_id, reason="token", seconds=seconds, fingerprint="f", scope="token")
    found = hand.store.admin.pauses()

    assert {each: (pause.reason, pause.fingerprint, pause.scope) for each, pause in found.items()} == {
        "1": ("token", "f", "token"),
        "3": ("token", "f", "token"),
    }


def test_a_lane_that_rests_is_not_taken_although_it_is_empty(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.settle(lease, lease.entries, retry_ms=5_000)
    hand.append("b")
    rests = (hand.held() or 0) - hand.now_ms()

    assert hand.lease() is None
    assert 4_000 < rests <= 5_000
    assert hand.due() is None


def test_a_lane_rests_at_least_as_long_as_its_events_linger(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.settle(lease, lease.entries, retry_ms=1_000, linger_ms=5_000)

    assert (hand.held() or 0) - hand.now_ms() > 4_000


def test_lanes_that_fail_together_are_one_failure(hand: Hand) -> None:
    for _ in range(8):
        pause(hand, "rate_limited", 60)

    assert hand.redis.hget(keys.dataset(0, DATASET), "fails") == b"1"


@pytest.mark.parametrize("seconds", [None, 3600.0])
def test_a_persons_pause_is_not_shortened_by_a_machines(hand: Hand, seconds: float | None) -> None:
    pause(hand, "manual", seconds)
    before = hand.counts().pause
    pause(hand, "rate_limited", 1)

    assert before
    assert hand.counts().pause == before


def test_a_persons_pause_without_an_end_lasts_until_it_is_resumed(hand: Hand) -> None:
    pause(hand, "manual", None)
    found = hand.counts().pause

    assert found
    assert found.until_ms is None


def test_a_person_may_change_a_pause(hand: Hand) -> None:
    pause(hand, "blocked", 60)
    pause(hand, "manual", 3600)
    pause(hand, "manual", 1800)
    found = hand.counts().pause

    assert found
    assert (found.until_ms or 0) < hand.now_ms() + 1_900_000


def test_resume_makes_what_waits_for_the_pause_due_at_once(hand: Hand) -> None:
    hand.append("a", linger_ms=0)
    pause(hand, "manual", None)
    hand.lease()

    assert hand.store.admin.resume(DATASET) is True
    assert (hand.held(), hand.counts().pause, hand.store.admin.paused_ids()) == (None, None, [])
    assert hand.take().entries


def test_resume_of_what_is_not_paused_says_so(hand: Hand) -> None:
    assert hand.store.admin.resume(DATASET) is False


def test_resume_for_a_reason_leaves_other_pauses_alone(hand: Hand) -> None:
    pause(hand, "manual", None)

    assert hand.store.admin.resume(DATASET, only_reason="token") is False
    assert hand.counts().pause


def test_resume_leaves_leased_lanes_to_their_holders(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    held = hand.held()
    pause(hand, "manual", None)
    hand.store.admin.resume(DATASET)

    assert (hand.held(), hand.due()) == (held, None)
    assert hand.settle(lease, lease.entries).owned


def test_resume_frees_a_lane_whose_worker_died_before_the_pause(hand: Hand) -> None:
    hand.append("a")
    hand.take()
    pause(hand, "manual", None)
    hand.ripen()
    assert hand.lease() is None  # its lease has ended, and now it waits for the pause
    hand.store.admin.resume(DATASET)

    assert hand.take().entries


def test_resume_does_not_invent_lanes(hand: Hand) -> None:
    hand.append("a")
    hand.settle(lease := hand.take(), lease.entries)
    pause(hand, "manual", None)
    hand.store.admin.resume(DATASET)

    assert (hand.due(), hand.held()) == (None, None)
