"""pause.lua and resume.lua: a paused dataset's lanes are not taken; a person's word outweighs a machine's."""

import pytest

from capi_relay import keys
from tests.integration.store.hand import DATASET, Hand


def pause(hand: Hand, reason: str, seconds: float | None) -> None:
    hand.store.admin.pause(
        DATASET, reason=reason, seconds=seconds, code=190, subcode=460, fingerprint="f1", detail="Say no"
    )


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
    hand.redis.hset(keys.dataset(0, DATASET), "until", 1)

    assert hand.take().entries


def test_the_first_delivery_after_a_pause_clears_it(hand: Hand) -> None:
    hand.append("a")
    pause(hand, "blocked", 60)
    hand.redis.hset(keys.dataset(0, DATASET), "until", 1)
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
    failures = []
    for _ in range(3):
        pause(hand, "blocked", 60)
        hand.redis.hset(keys.dataset(0, DATASET), "until", 1)
        hand.append("a")
        failures.append((lease := hand.take()).pause_failures)
        hand.settle(lease)
    hand.store.admin.resume(DATASET)

    assert failures == [1, 2, 3]
    assert hand.take().pause_failures == 0


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
