"""The numbers of a dataset's match quality in the store."""

from capi_relay import keys
from tests.integration.store.hand import DATASET, Hand


def test_numbers_are_added_up(hand: Hand) -> None:
    hand.store.quality.add(DATASET, {"sampled": 2, "w:md5": 1})
    hand.store.quality.add(DATASET, {"sampled": 3, "q:Lead:events": 3})

    assert hand.store.quality.read(DATASET) == {"sampled": 5, "w:md5": 1, "q:Lead:events": 3}


def test_a_dataset_without_samples_has_no_numbers(hand: Hand) -> None:
    assert hand.store.quality.read(DATASET) == {}


def test_old_samples_fade_when_there_are_many(hand: Hand) -> None:
    hand.store.quality.add(DATASET, {"sampled": 10, "w:md5": 6, "w:private_ip": 1}, max_samples=10)
    hand.store.quality.add(DATASET, {"sampled": 2}, max_samples=10)

    assert hand.store.quality.read(DATASET) == {"sampled": 6, "w:md5": 3}


def test_a_full_server_takes_them_all_the_same(hand: Hand) -> None:
    hand.store.quality.add(DATASET, {"sampled": 1})  # and all that is done once
    used = int(hand.redis.info("memory")["used_memory"])
    hand.redis.config_set("maxmemory", used // 2)
    try:
        hand.store.quality.add(DATASET, {"sampled": 1})
    finally:
        hand.redis.config_set("maxmemory", 0)

    assert hand.redis.hgetall(keys.quality(0, DATASET)) == {b"sampled": b"2"}
