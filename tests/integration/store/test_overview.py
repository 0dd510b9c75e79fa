"""overview.lua: many datasets in one call, each as counts.lua tells it."""

from dataclasses import replace

from tests.integration.store.hand import DATASET, Hand
from worker.store import DatasetCounts, Store


def without_clock(counts: DatasetCounts) -> DatasetCounts:
    return replace(counts, now_ms=0)


def both(store: Store, *ids: str) -> tuple[list[DatasetCounts], list[DatasetCounts]]:
    read = sorted(store.overview.read(ids), key=lambda counts: counts.dataset_id)
    return [without_clock(each) for each in read], [without_clock(store.admin.counts(each)) for each in sorted(ids)]


def test_it_says_of_each_dataset_what_the_single_reading_says(hand: Hand) -> None:
    ids = [str(number) for number in range(1000, 1450)]
    for number, each in enumerate(ids):
        for lane in range(number % 4):
            hand.append(f"{each}-{lane}", lane=f"{each}/{lane}")
    hand.store.admin.pause(ids[7], reason="token", seconds=60, code=190)
    overview, single = both(hand.store, *ids, "9")

    assert overview == single
    assert sum(counts.stored for counts in overview) == sum(number % 4 for number in range(450))


def test_what_is_leased_is_in_flight(hand: Hand) -> None:
    hand.append("a")
    hand.append("b")
    assert hand.store.lanes.claim(hand.store.lanes.look(), max_events=1, max_bytes=1000)
    overview, single = both(hand.store, DATASET)

    assert overview == single
    assert overview[0].in_flight == 1


def test_a_lane_that_comes_between_two_readings_is_counted(hand: Hand) -> None:
    hand.append("a")
    assert [counts.stored for counts in hand.store.overview.read([DATASET])] == [1]
    hand.append("b", lane=f"{DATASET}/late")

    assert [counts.stored for counts in hand.store.overview.read([DATASET])] == [2]
    assert [counts.unaccounted for counts in hand.store.overview.read([DATASET])] == [0]
