import pytest

from worker.activity import Activity


def test_what_runs_is_counted_and_what_ended_is_not() -> None:
    activity = Activity()
    with activity.pump(), activity.pump(), activity.lane():
        during = activity.sign(16)
    after = activity.sign(16)

    assert (during.pumps, during.busy, during.slots) == (2, 1, 16)
    assert (after.pumps, after.busy) == (0, 0)
    assert after.last_batch_ms >= after.started_ms > 0


def test_what_fails_has_ended_too() -> None:
    activity = Activity()
    with pytest.raises(RuntimeError), activity.pump(), activity.lane():
        raise RuntimeError

    assert (activity.sign(1).pumps, activity.sign(1).busy) == (0, 0)


def test_a_worker_without_a_batch_says_so() -> None:
    assert Activity().sign(1).last_batch_ms == 0
