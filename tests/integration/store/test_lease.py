"""lease.lua: who may take a lane, and what of it."""

import pytest

from capi_relay import keys
from tests.integration.store.hand import DATASET, LANE, Hand, texts


def lease_again(hand: Hand, token: str) -> list[object]:
    """Send the script's call for this token, as the client library does after a lost answer."""
    names = [
        *(keys.stream(0, LANE), keys.due(0), keys.held(0), keys.state(0, LANE)),
        *(keys.dataset(0, DATASET), keys.size(0), keys.counters(0, DATASET)),
    ]
    reply: list[object] = hand.store._connection.run("lease", names, [LANE, token, 60_000, 2, 1_000_000, 5_000])
    return reply


def test_events_are_leased_in_the_order_they_came_in(hand: Hand) -> None:
    hand.append("a", "b")
    hand.append("c")

    assert texts(hand.take(max_events=2)) == ["a", "b"]


def test_a_batch_ends_before_it_is_too_large(hand: Hand) -> None:
    hand.append("aaaa", "bbbb", "cccc")

    assert texts(hand.take(max_bytes=8)) == ["aaaa", "bbbb"]


def test_an_event_larger_than_a_batch_may_be_goes_alone(hand: Hand) -> None:
    hand.append("a" * 100, "b")

    assert texts(hand.take(max_bytes=8)) == ["a" * 100]


def test_a_batch_of_more_entries_than_the_store_reads_at_once_is_whole_and_in_order(hand: Hand) -> None:
    events = tuple(f"{number}" for number in range(1000))
    hand.append(*events)

    assert texts(hand.take()) == list(events)


def test_a_lane_that_is_not_due_is_not_leased(hand: Hand) -> None:
    hand.append("a", linger_ms=60_000)

    assert hand.lease() is None
    assert 55_000 < (hand.store.lanes.look().next_due_ms or 0) <= 60_000


def test_what_falls_due_soon_counts_as_eligible_soon(hand: Hand) -> None:
    hand.append("a", linger_ms=1_000)
    hand.append("b", lane=f"{DATASET}/late")

    assert hand.store.lanes.look().eligible_soon == 1
    assert hand.store.lanes.look(soon_ms=1_500).eligible_soon == 2


def test_the_longest_eligible_lane_stands_first(hand: Hand) -> None:
    for name in ("0", "1", "2"):
        hand.append("a", lane=f"{DATASET}/{name}")
    hand.redis.zadd(keys.due(0), {f"{DATASET}/1": 1})

    assert hand.store.lanes.look().lanes[0] == (0, f"{DATASET}/1")


def test_a_leased_lane_is_nobody_elses_until_the_lease_ends(hand: Hand) -> None:
    hand.append("a")
    first = hand.take()
    assert hand.lease() is None
    hand.ripen()
    second = hand.take()

    assert texts(second) == texts(first)
    assert second.token != first.token


def test_a_lane_seen_but_leased_by_a_faster_worker_is_passed_over(hand: Hand) -> None:
    hand.append("a")
    hand.append("b", lane=f"{DATASET}/late")
    look = hand.store.lanes.look()
    fast = hand.store.lanes.claim(look, max_events=9, max_bytes=99)
    slow = hand.store.lanes.claim(look, max_events=9, max_bytes=99)

    assert fast
    assert slow
    assert {fast.lane, slow.lane} == {LANE, f"{DATASET}/late"}


def test_a_lost_answer_is_given_again_to_the_same_token(hand: Hand) -> None:
    hand.append("a", "b")
    first, second = lease_again(hand, "token"), lease_again(hand, "token")

    assert first[0] == second[0] == 1
    assert first[2:] == second[2:]
    assert "deaths" not in hand.state()


def test_a_foreign_entry_is_counted_when_it_is_first_seen(hand: Hand) -> None:
    hand.append("a")
    hand.foreign(e="b")
    unseen = hand.counts()
    lease = hand.take()
    hand.settle(lease, lease.entries)
    seen = hand.counts()

    assert (unseen.unseen_foreign, unseen.unaccounted) == (1, 0)
    assert (seen.counters["foreign"], seen.unseen_foreign, seen.unaccounted) == (1, 0, 0)
    assert hand.size("bytes") == 0


def test_garbage_comes_as_raw_text_that_no_meta_explains(hand: Hand) -> None:
    hand.append("a")
    hand.foreign(some="thing", odd="entry")
    garbage = hand.take().entries[1]

    assert (garbage.event, garbage.meta) == (b"some thing odd entry", b"raw")


def test_entries_of_a_newer_format_are_stepped_over(hand: Hand) -> None:
    hand.append("a")
    hand.foreign(e="new", m='{"v":2,"t":5}')
    hand.append("b")
    lease = hand.take()
    hand.settle(lease, lease.entries)

    assert (texts(lease), lease.newer) == (["a", "b"], 1)
    assert hand.length() == 1


def test_a_lane_that_holds_only_newer_formats_is_left_alone_for_a_while(hand: Hand) -> None:
    hand.append("a")
    hand.foreign(e="new", m='{"v":2,"t":5}')
    lease = hand.take()
    hand.settle(lease, lease.entries)

    assert hand.lease() is None
    assert hand.now_ms() < (hand.held() or 0) <= hand.now_ms() + 5_000


def test_an_empty_lane_leaves_the_index_when_it_is_tried(hand: Hand) -> None:
    hand.append("a")
    zombie = hand.take()
    hand.ripen()
    hand.take()
    hand.settle(zombie, zombie.entries)
    hand.ripen()

    assert hand.lease() is None
    assert (hand.due(), hand.held(), hand.state()) == (None, None, {})


@pytest.mark.parametrize(("tries", "size"), [(0, 64), (4, 64), (5, 32), (6, 16), (9, 16), (500, 16)])
def test_after_five_answers_that_were_no_success_the_batch_is_halved_each_time_down_to_a_few(
    hand: Hand, tries: int, size: int
) -> None:
    hand.append(*map(str, range(64)))
    hand.redis.hset(keys.state(0, LANE), "tries", tries)
    lease = hand.take(max_events=64)

    assert (len(lease.entries), lease.tries) == (size, tries)


def test_tries_are_counted_by_retries_that_say_so_and_forgotten_by_a_release(hand: Hand) -> None:
    hand.append("a")
    tries = []
    for add_try, then in ((True, "retry"), (False, "retry"), (True, "retry"), (False, "release"), (False, "release")):
        lease = hand.take()
        tries.append(lease.tries)
        hand.settle(lease, then="retry" if then == "retry" else "release", add_try=add_try)

    assert tries == [0, 1, 1, 2, 0]
