"""No lane waits on when a pause is over, whatever became of it and of its lanes meanwhile."""

import pytest

from capi_relay import keys
from tests.integration.store.hand import DATASET, LANE, Hand

OTHER_LANE = f"{DATASET}/1"


@pytest.mark.parametrize("longer", [None, 3600.0])
def test_lanes_do_not_wait_for_the_end_of_a_longer_pause_that_was_there_before(
    hand: Hand, longer: float | None
) -> None:
    hand.append("a")
    hand.store.admin.pause(DATASET, reason="manual", seconds=longer)
    assert hand.lease() is None
    hand.store.admin.pause(DATASET, reason="manual", seconds=60)

    assert 0 < (hand.held() or 0) - hand.now_ms() <= 60_000


def test_a_shorter_pause_does_not_end_a_lease(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    held = hand.held()
    hand.store.admin.pause(DATASET, reason="manual", seconds=None)
    hand.store.admin.pause(DATASET, reason="manual", seconds=1)

    assert hand.held() == held
    assert hand.settle(lease, lease.entries).owned


def test_a_lane_that_comes_into_being_as_a_pause_is_ended_is_freed_by_the_sweep(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.store.admin.pause(DATASET, reason="manual", seconds=None)
    with monkeypatch.context() as patch:
        patch.setattr(hand.store.admin, "_lanes", lambda *_: [])  # read before the append, so to speak
        hand.append("a")
        assert hand.lease() is None
        hand.store.admin.resume(DATASET)
    assert hand.lease() is None

    assert hand.store.admin.sweep() == 1
    assert hand.lease()


def test_the_sweep_leaves_a_lane_to_its_pause(hand: Hand) -> None:
    hand.append("a")
    hand.store.admin.pause(DATASET, reason="manual", seconds=None)
    assert hand.lease() is None

    assert hand.store.admin.sweep() == 0
    assert hand.lease() is None


def test_a_lane_that_died_trying_and_has_nothing_left_to_try_with_leaves_the_try_to_another(hand: Hand) -> None:
    hand.append("a")
    hand.foreign(e="newer", m='{"v":2}')
    hand.store.admin.pause(DATASET, reason="blocked", seconds=60, failures=1)
    hand.redis.hset(keys.dataset(0, DATASET), "until", 1)
    lease = hand.take()
    hand.ripen()  # its worker died
    assert hand.store.eraser.erase(LANE, lease.entries).removed == 1
    assert hand.lease() is None
    hand.append("b", lane=OTHER_LANE)

    assert hand.take().lane == OTHER_LANE
