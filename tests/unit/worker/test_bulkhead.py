from contextlib import ExitStack

import pytest

from worker.bulkhead import SLOW_SECONDS, Admission, Bulkhead


def bulkhead_of(slots: int) -> Bulkhead:
    """Return one that knows a slow and a quick dataset."""
    bulkhead = Bulkhead(slots)
    bulkhead.answered("slow", SLOW_SECONDS)
    bulkhead.answered("quick", 0.2)
    return bulkhead


def admitted(bulkhead: Bulkhead, *dataset_ids: str) -> list[str]:
    """Return which of these a next pump may take."""
    with bulkhead.admission() as admission:
        return [dataset_id for dataset_id in dataset_ids if admission.admits(dataset_id)]


def take(bulkhead: Bulkhead, working: ExitStack, dataset_id: str) -> Admission:
    admission = working.enter_context(bulkhead.admission())
    assert admission.admits(dataset_id)
    admission.took(dataset_id)
    return admission


def test_slow_datasets_take_half_of_the_slots_and_leave_room_for_newcomers() -> None:
    bulkhead = bulkhead_of(16)
    with ExitStack() as working:
        for _ in range(8):
            take(bulkhead, working, "slow")

        assert admitted(bulkhead, "slow", "new", "quick") == ["new", "quick"]
    assert admitted(bulkhead, "slow", "new", "quick") == ["slow", "new", "quick"]


def test_newcomers_that_hang_leave_a_quarter_of_the_slots_to_the_quick() -> None:
    bulkhead = bulkhead_of(16)
    with ExitStack() as working:
        for number in range(12):
            take(bulkhead, working, f"new-{number}")

        assert admitted(bulkhead, "slow", "new", "quick") == ["quick"]


def test_newcomers_take_none_of_what_the_slow_may_have() -> None:
    bulkhead = bulkhead_of(16)
    with ExitStack() as working:
        for number in range(4):
            take(bulkhead, working, f"new-{number}")
        for _ in range(8):
            take(bulkhead, working, "slow")

        assert admitted(bulkhead, "slow", "new", "quick") == ["quick"]


def test_a_lane_of_a_quick_dataset_takes_no_slot_of_the_others() -> None:
    bulkhead = bulkhead_of(2)
    with ExitStack() as working:
        for _ in range(16):
            take(bulkhead, working, "quick")

        assert admitted(bulkhead, "slow", "new") == ["slow", "new"]


def test_every_slot_comes_back() -> None:
    bulkhead = bulkhead_of(16)
    for dataset_id in ("slow", "new", "quick") * 20:
        with ExitStack() as working:
            take(bulkhead, working, dataset_id)
            bulkhead.answered("new", 0.1)

    assert (bulkhead._shared_taken, bulkhead._slow_taken) == (0, 0)


def test_a_dataset_that_becomes_slow_counts_as_slow_from_then_on() -> None:
    bulkhead = Bulkhead(2)
    bulkhead.answered("shop", 0.2)
    bulkhead.answered("shop", 30)

    assert bulkhead.was_quick("shop") is False


def test_who_was_slow_to_an_earlier_process_counts_as_slow_until_it_answers() -> None:
    bulkhead = Bulkhead(16)
    bulkhead.answered("known", 0.2)
    bulkhead.expect_slow(["known", "other"])

    assert [bulkhead.is_slow(dataset_id) for dataset_id in ("known", "other", "new")] == [False, True, False]
    bulkhead.answered("other", 0.2)
    assert not bulkhead.is_slow("other")


@pytest.mark.parametrize("dataset_id", ["slow", "new", "quick"])
def test_a_process_with_one_slot_takes_every_lane(dataset_id: str) -> None:
    assert admitted(bulkhead_of(1), dataset_id) == [dataset_id]
