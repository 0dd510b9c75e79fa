"""settle.lua: events leave once by the door that removed them, and the lane goes where its next turn belongs."""

import json

import pytest

from capi_relay import keys
from tests.integration.store.hand import DATASET, LANE, Hand, texts
from worker.store import DeadEntry, Entry, Exit, Settlement


def test_doors_are_counted_by_what_was_really_removed(hand: Hand) -> None:
    hand.append("a", "b", "c")
    zombie = hand.take()
    hand.ripen()
    successor = hand.take()
    first = hand.settle(successor, successor.entries[:2], then="part")
    second = hand.settle(zombie, zombie.entries)

    assert (first.owned, first.removed) == (True, (2,))
    assert (second.owned, second.removed) == (False, (1,))
    assert (hand.counter("delivered"), hand.counts().unaccounted) == (3, 0)


def test_a_settle_sent_twice_removes_once(hand: Hand) -> None:
    hand.append("a", "b")
    lease = hand.take()
    first = hand.settle(lease, lease.entries[:1], lease.entries[1:], then="part")
    second = hand.settle(lease, lease.entries[:1], lease.entries[1:], then="part")

    assert (first.removed, first.dead_letters) == ((1,), 1)
    assert (second.owned, second.removed, second.dead_letters) == (True, (0,), 0)
    assert (hand.counter("delivered"), hand.counter("rejected"), hand.counts().dead_letters) == (1, 1, 1)


def test_a_part_that_removes_nothing_is_no_error(hand: Hand) -> None:
    hand.append("a")

    assert hand.settle(hand.take(), then="part").owned  # a Redis 7.0 takes -0 for no number


def test_every_counter_of_an_exit_is_raised_and_exits_are_told_apart(hand: Hand) -> None:
    hand.append("a", "b", "c")
    lease = hand.take()
    exits = [
        Exit(("delivered", "fresh"), lease.entries[:1]),
        Exit(("duplicate",), ()),
        Exit(("delivered", "late", "born_late"), lease.entries[1:]),
    ]
    settled = hand.store.lanes.settle(lease, Settlement("release", exits=exits))
    counters = hand.counts().counters

    assert settled.removed == (1, 0, 2)
    assert {name: counters[name] for name in ("delivered", "fresh", "late", "born_late")} == {
        "delivered": 3,
        "fresh": 1,
        "late": 2,
        "born_late": 2,
    }


def test_a_thousand_events_leave_in_one_call(hand: Hand) -> None:
    hand.append(*map(str, range(1001)))
    lease = hand.take(max_events=1001)
    settled = hand.settle(lease, lease.entries)

    assert settled.removed == (1001,)
    assert (hand.length(), hand.size("bytes"), hand.state()) == (0, 0, {})


def test_a_dead_letter_keeps_what_it_is_given_and_explains_itself(hand: Hand) -> None:
    hand.append("raw")
    lease = hand.take()
    record = json.dumps({"reason": "invalid"})
    hand.store.lanes.settle(
        lease, Settlement("release", dead=[DeadEntry(lease.entries[0], "invalid", b"hashed", record)])
    )
    (letter,) = hand.store.dead.read(DATASET)

    assert (letter.event, letter.meta, letter.record) == (b"hashed", lease.entries[0].meta, record.encode())
    assert hand.counter("invalid") == 1


def test_waiting_bytes_are_what_the_dead_letters_hold_when_all_lanes_are_empty(hand: Hand) -> None:
    hand.append("aaaa", "bb", "c")
    hand.foreign(e="some foreign event")
    lease = hand.take()
    hand.settle(lease, lease.entries[:1], lease.entries[1:2], then="part")
    hand.settle(lease, lease.entries[2:])
    (letter,) = hand.store.dead.read(DATASET)

    assert hand.size("bytes") == len(letter.event) + len(letter.record) + 128


def test_a_released_lane_with_events_left_falls_due_after_the_linger_of_the_oldest(hand: Hand) -> None:
    hand.append("a", "b")
    lease = hand.take()
    hand.settle(lease, lease.entries[:1], linger_ms=30_000)
    oldest_ms = int(lease.entries[1].id.partition("-")[0])

    assert hand.due() == oldest_ms + 30_000
    assert hand.held() is None


def test_a_released_lane_with_a_full_batch_left_goes_to_the_back_of_the_line(hand: Hand) -> None:
    hand.append(*map(str, range(1001)))
    hand.redis.zadd(keys.due(0), {f"{DATASET}/late": 1})
    lease = hand.take(max_events=1)
    hand.settle(lease, lease.entries, linger_ms=30_000)

    assert (hand.due() or 0) <= hand.now_ms()
    assert hand.store.lanes.look().lanes[-1] == (0, LANE)


def test_a_lane_that_is_empty_leaves_the_index_and_forgets_its_state(hand: Hand) -> None:
    hand.append("a")
    hand.settle(lease := hand.take(), lease.entries)

    assert (hand.due(), hand.held(), hand.state()) == (None, None, {})


def test_a_retry_holds_the_lane_for_so_long(hand: Hand) -> None:
    hand.append("a")
    hand.settle(hand.take(), then="retry", retry_ms=30_000)

    assert hand.now_ms() + 25_000 < (hand.held() or 0) <= hand.now_ms() + 30_000
    assert hand.counts().in_flight == 0


def test_a_retry_of_nothing_leaves_no_lane_behind(hand: Hand) -> None:
    hand.append("a")
    zombie = hand.take()
    hand.ripen()
    successor = hand.take()
    hand.settle(zombie, zombie.entries)
    hand.settle(successor, then="retry", retry_ms=30_000)

    assert (hand.due(), hand.held()) == (None, None)


def test_a_part_keeps_the_lease(hand: Hand) -> None:
    hand.append("a", "b")
    lease = hand.take()
    hand.append("c")
    hand.settle(lease, lease.entries[:1], then="part")

    assert hand.lease() is None
    assert (hand.counts().stored, hand.counts().in_flight) == (2, 1)


def test_who_lost_the_lease_does_not_reschedule_the_lane(hand: Hand) -> None:
    hand.append("a", "b")
    zombie = hand.take()
    hand.ripen()
    successor = hand.take()
    hand.settle(zombie, then="release")

    assert hand.state()["tok"] == successor.token
    assert hand.lease() is None


@pytest.mark.parametrize("then", ["release", "retry"])
def test_a_dataset_that_is_paused_meanwhile_holds_its_lane_until_the_pause_ends(hand: Hand, then: str) -> None:
    hand.append("a", "b")
    lease = hand.take()
    hand.store.admin.pause(DATASET, reason="rate_limited", seconds=600)
    hand.settle(lease, lease.entries[:1], then="release" if then == "release" else "retry")
    pause = hand.counts().pause

    assert pause
    assert hand.held() == pause.until_ms


def settle_learning(hand: Hand, size: int, learnt: int, delivered: int = 0) -> int:
    """Settle a batch of this size; return the size of the next batch."""
    lease = hand.take(max_events=size)
    hand.settle(lease, lease.entries[:delivered], learnt_batch=learnt)
    again = hand.take()
    hand.settle(again)
    return len(again.entries)


def test_a_refused_size_is_remembered_for_all_lanes_of_the_dataset(hand: Hand) -> None:
    hand.append(*map(str, range(100)))
    hand.append(*map(str, range(100)), lane=f"{DATASET}/late")

    assert settle_learning(hand, 100, learnt=20) == 20
    assert settle_learning(hand, 100, learnt=0) == 20


def test_a_remembered_size_grows_back_by_a_tenth_with_each_full_batch(hand: Hand) -> None:
    hand.append(*map(str, range(200)))
    settle_learning(hand, 100, learnt=20)
    grown = [settle_learning(hand, 100, learnt=0, delivered=size) for size in (20, 22, 25)]

    assert grown == [22, 25, 28]


def test_a_part_filled_batch_proves_nothing_about_the_size(hand: Hand) -> None:
    hand.append(*map(str, range(100)))
    settle_learning(hand, 100, learnt=20)

    assert settle_learning(hand, 100, learnt=0, delivered=19) == 20


def test_a_size_that_has_grown_back_to_a_full_batch_is_forgotten(hand: Hand) -> None:
    hand.append(*map(str, range(1999)))
    settle_learning(hand, 1000, learnt=950)
    settle_learning(hand, 1000, learnt=0, delivered=950)

    assert hand.redis.hget(keys.dataset(0, DATASET), "batch") is None


def test_an_entry_of_another_lane_is_not_removed(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    stranger = Entry("1-1", b"x", b"")
    settled = hand.settle(lease, (stranger,), then="part")

    assert settled.removed == (0,)
    assert (texts(lease), hand.length()) == (["a"], 1)


def test_a_lowered_limit_of_dead_letters_is_reached_in_several_settles(hand: Hand) -> None:
    hand.append(*"ab")
    lease = hand.take()
    with hand.redis.pipeline() as pipeline:
        for _ in range(2500):
            pipeline.xadd(keys.dead(0, DATASET), {"e": "x", "m": "", "r": "{}"})
        pipeline.execute()
    kept = [hand.settle(lease, then="part", keep_dead=100).dead_letters_kept for _ in range(3)]

    assert kept == [1500, 500, 100]
    assert hand.counter("dead_dropped") == 2400
