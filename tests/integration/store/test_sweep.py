"""adopt.lua and refresh_cap: what the sweep repairs, and what it leaves alone."""

import pytest
import structlog

from capi_relay import keys
from capi_relay.errors import Overloaded
from tests.integration.store.hand import DATASET, LANE, Hand, texts

DAY_MS = 24 * 3600 * 1000


def adopt(hand: Hand, lane: str) -> str:
    names = [
        *(keys.stream(0, lane), keys.due(0), keys.held(0), keys.state(0, lane)),
        *(keys.size(0), keys.datasets(0), keys.lanes(0, keys.dataset_of(lane))),
    ]
    verdict: bytes = hand.store._connection.run("adopt", names, [lane, keys.dataset_of(lane), DAY_MS])
    return verdict.decode()


def test_a_lane_that_fell_out_of_the_index_comes_back(hand: Hand) -> None:
    hand.append("a")
    hand.redis.delete(keys.due(0))

    assert hand.store.admin.sweep() == 1
    assert texts(hand.take()) == ["a"]


def test_a_lane_that_a_foreign_hand_made_is_adopted_with_its_dataset(hand: Hand) -> None:
    hand.foreign(lane="77/0", e="theirs")

    assert hand.store.admin.sweep() == 1
    assert hand.store.admin.dataset_ids() == ["77"]
    assert texts(hand.take()) == ["theirs"]
    assert (hand.counter("foreign", "77"), hand.counts("77").unaccounted) == (1, 0)


def test_a_lane_that_is_where_it_belongs_is_left_alone(hand: Hand) -> None:
    hand.append("a", linger_ms=60_000)
    hand.append("b", lane=f"{DATASET}/late")
    hand.take()
    before = (hand.due(), hand.held(f"{DATASET}/late"))

    assert hand.store.admin.sweep() == 0
    assert (hand.due(), hand.held(f"{DATASET}/late")) == before


def test_a_lane_in_both_places_stays_held(hand: Hand) -> None:
    hand.append("a")
    hand.take()
    hand.redis.zadd(keys.due(0), {LANE: 1})
    hand.store.admin.sweep()

    assert hand.due() is None
    assert hand.held() is not None


def test_a_stream_that_was_just_emptied_is_kept(hand: Hand) -> None:
    hand.append("a")
    hand.settle(lease := hand.take(), lease.entries)
    hand.store.admin.sweep()

    assert hand.redis.exists(keys.stream(0, LANE)) == 1


def test_a_stream_that_has_been_empty_for_a_day_is_removed_with_all_that_belongs_to_it(hand: Hand) -> None:
    name = keys.stream(0, LANE)
    old = f"{hand.now_ms() - DAY_MS - 1000}-0"
    hand.append("a")
    hand.settle(lease := hand.take(), lease.entries)
    hand.redis.delete(name)
    hand.redis.xadd(name, {"e": "x"}, id=old)
    hand.redis.xdel(name, old)
    hand.store.admin.sweep()

    assert hand.redis.exists(name) == 0
    assert hand.redis.smembers(keys.lanes(0, DATASET)) == set()
    assert hand.redis.hgetall(keys.size(0)) == {b"bytes": b"0"}
    assert hand.counts().unaccounted == 0


def test_an_empty_stream_whose_lane_is_held_is_kept(hand: Hand) -> None:
    name = keys.stream(0, LANE)
    hand.redis.xadd(name, {"e": "x"}, id="1-1")
    hand.redis.xdel(name, "1-1")
    hand.redis.zadd(keys.held(0), {LANE: 1})
    hand.store.admin.sweep()

    assert hand.redis.exists(name) == 1


def test_a_lane_that_another_sweep_removed_meanwhile_is_no_error(hand: Hand) -> None:
    assert adopt(hand, LANE) == "fine"


def test_a_sweep_of_a_lane_without_bytes_is_no_error(hand: Hand) -> None:
    hand.foreign(e="theirs")
    hand.store.admin.sweep()
    hand.redis.hset(keys.size(0), f"b:{LANE}", 0)
    hand.redis.xdel(keys.stream(0, LANE), hand.take().entries[0].id)

    assert adopt(hand, LANE) == "fine"  # a Redis 7.0 takes -0 for no number


def test_all_lanes_are_found_however_many_there_are(hand: Hand) -> None:
    for number in range(450):
        hand.foreign(lane=f"{number}/0", e="theirs")

    assert hand.store.admin.sweep() == 450


def test_a_key_of_another_type_among_the_lanes_is_told_once_and_stops_nothing(hand: Hand) -> None:
    for name in ("1/0", "2/0", "3/0"):
        hand.redis.set(keys.stream(0, name), "odd")
    hand.foreign(lane="77/0", e="theirs")
    with structlog.testing.capture_logs() as logs:
        found = [hand.store.admin.sweep(), hand.store.admin.sweep()]

    assert found == [1, 0]
    assert sorted(line["key"] for line in logs) == [keys.stream(0, name) for name in ("1/0", "2/0", "3/0")]
    assert hand.redis.get(keys.stream(0, "1/0")) == b"odd"


def test_producers_are_told_how_much_may_wait(hand: Hand) -> None:
    used = int(hand.redis.info("memory")["used_memory"])
    hand.redis.config_set("maxmemory", 10 * used)
    cap = hand.store.admin.refresh_cap()
    hand.redis.hset(keys.size(0), "bytes", cap)

    assert cap == int(10 * used * 0.8)
    with pytest.raises(Overloaded, match="event store is full"):
        hand.append("a")


def test_without_a_memory_limit_there_is_no_cap(hand: Hand) -> None:
    hand.store.admin.refresh_cap()
    hand.append("a")

    assert hand.redis.hget(keys.size(0), "cap") == b"0"
