"""append.lua: events of a call are stored all or not at all, once, and their lanes are indexed."""

import pytest

from capi_relay import keys
from capi_relay.append import Limits
from capi_relay.errors import LaneFull, Overloaded
from tests.integration.store.hand import DATASET, LANE, Hand, texts

LATE = f"{DATASET}/late"


def test_an_event_is_stored_as_it_is_with_the_format_version_and_the_time_of_its_enqueue(hand: Hand) -> None:
    before = hand.now_ms()
    hand.append("event \u2028 bytes")
    (entry,) = hand.take().entries
    version, enqueued = entry.meta.decode().split(",")

    assert entry.event == "event \u2028 bytes".encode()
    assert version == '{"v":1'
    assert before <= int(enqueued.removeprefix('"t":').removesuffix("}")) <= hand.now_ms()


def test_the_same_call_twice_stores_its_events_once(hand: Hand) -> None:
    for _ in range(2):
        hand.append("a", "b", call_id="one")

    assert texts(hand.take()) == ["a", "b"]
    assert hand.counter("enqueued") == 2


def test_a_call_is_remembered_for_ten_minutes_only(hand: Hand) -> None:
    hand.append("a", call_id="one")

    assert 590_000 < hand.redis.pttl(keys.call(0, "one")) <= 600_000


def test_a_full_lane_refuses_the_whole_call(hand: Hand) -> None:
    hand.appends._limits = Limits(1000, 3)
    hand.append("a", "b")
    with pytest.raises(Overloaded, match="lane is full"):
        hand.append_call({LATE: ("c",), LANE: ("d", "e")}, call_id="refused")

    assert (hand.length(), hand.length(LATE), hand.counter("enqueued")) == (2, 0, 2)
    assert hand.redis.exists(keys.call(0, "refused")) == 0


def test_a_full_store_refuses_the_whole_call_and_takes_it_again_when_there_is_room(hand: Hand) -> None:
    hand.append("a")
    hand.redis.hset(keys.size(0), "cap", 2 * (128 + 1) + 29)
    with pytest.raises(Overloaded, match="event store is full"):
        hand.append("b", "c", call_id="later")
    hand.settle(lease := hand.take(), lease.entries)
    hand.append("b", "c", call_id="later")

    assert (hand.length(), hand.counter("enqueued")) == (2, 3)


def test_a_dataset_cannot_take_all_of_the_store_and_others_find_room(hand: Hand) -> None:
    event = "x" * 872  # a thousand bytes with its entry
    hand.redis.hset(keys.size(0), "cap", 100_000)
    for _ in range(90):
        hand.append(event)
    with pytest.raises(LaneFull, match="holds all it may"):
        hand.append(event)
    for dataset_id in ("2001", "2002"):
        hand.append(event, lane=f"{dataset_id}/0")

    assert hand.counts().stored == 90
    with pytest.raises(LaneFull):
        hand.append(event)


def test_many_lanes_give_a_dataset_no_larger_share(hand: Hand) -> None:
    event = "x" * 872
    hand.redis.hset(keys.size(0), "cap", 100_000)
    refused = 0
    for place in range(200):
        try:
            hand.append(event, lane=f"{DATASET}/{place % 10}")
        except LaneFull:
            refused += 1

    assert refused >= 110
    hand.append(event, lane="2001/0")


def test_a_part_filled_lane_falls_due_after_its_linger(hand: Hand) -> None:
    before = hand.now_ms()
    hand.append("a", linger_ms=5_000)
    hand.append("b", linger_ms=9_000)

    assert before + 5_000 <= (hand.due() or 0) <= hand.now_ms() + 5_000


def test_a_full_lane_falls_due_at_once(hand: Hand) -> None:
    hand.appends._limits = Limits(2, 100)
    hand.append("a", linger_ms=5_000)
    hand.append("b", linger_ms=5_000)

    assert (hand.due() or 0) <= hand.now_ms()


def test_a_lane_that_somebody_holds_is_left_to_its_holder(hand: Hand) -> None:
    hand.append("a")
    hand.take()
    hand.append("b")

    assert hand.due() is None
    assert hand.held() is not None


def test_the_lanes_of_a_call_are_stored_together(hand: Hand) -> None:
    hand.append_call({LANE: ("a", "b"), LATE: ("c",)})
    counts = hand.counts()

    assert (hand.length(), hand.length(LATE)) == (2, 1)
    assert (counts.stored, counts.counters["enqueued"], counts.unaccounted) == (3, 3, 0)
    assert hand.size("bytes") == 3 * (128 + 1)
