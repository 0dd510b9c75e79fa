"""Which events are suspected of killing their worker, how they are isolated, and who is cleared."""

from capi_relay import keys
from tests.integration.store.hand import LANE, Hand, texts


def test_what_kills_its_workers_is_isolated_from_1000_over_32_to_1_and_then_called_crashed(hand: Hand) -> None:
    hand.append(*map(str, range(1200)))
    sizes = hand.die(5)
    lease = hand.take()

    assert sizes == [1000, 1000, 32, 1, 1]
    assert (texts(lease), lease.crashed) == (["0"], True)


def test_only_what_died_alone_twice_is_called_crashed(hand: Hand) -> None:
    hand.append(*map(str, range(40)))
    hand.die(4)

    assert not hand.take().crashed


def test_a_lone_event_that_kills_its_worker_is_called_crashed_at_the_fourth_lease(hand: Hand) -> None:
    hand.append("killer")
    crashed = []
    for _ in range(4):
        crashed.append(hand.take().crashed)
        hand.ripen()

    assert crashed == [False, False, False, True]


def test_the_neighbours_of_the_killer_run_alone_only_until_it_is_found(hand: Hand) -> None:
    hand.append(*(str(number) for number in range(100)))
    hand.die(2, max_events=100)
    sizes = []
    while lease := hand.lease(max_events=100):
        sizes.append(len(lease.entries))
        if lease.crashed:
            hand.settle(lease, dead=lease.entries)
        elif "33" in texts(lease):
            hand.ripen()
        else:
            hand.settle(lease, lease.entries)

    # 0 to 31 pass; 32 to 63 die; 32 passes alone; 33 dies alone twice and is found; the rest is suspected no more.
    assert sizes == [32, 32, 1, 1, 1, 1, 66]
    assert (hand.counter("delivered"), hand.counter("rejected")) == (99, 1)


def test_a_lone_death_is_not_held_against_the_next_suspect(hand: Hand) -> None:
    hand.append(*map(str, range(40)))
    hand.die(4)
    first = hand.take()
    hand.settle(first, first.entries)
    hand.die()

    assert len(first.entries) == 1
    assert not hand.take().crashed


def test_a_mark_says_that_the_worker_got_past_the_events(hand: Hand) -> None:
    hand.append("a", "b")
    for _ in range(6):
        lease = hand.take()
        hand.store.lanes.mark(lease, 1, lease.entries)
        hand.ripen()

    assert "deaths" not in hand.state()
    assert not hand.take().crashed


def test_a_settle_says_that_the_worker_got_past_the_events(hand: Hand) -> None:
    hand.append("a", "b")
    for _ in range(6):
        lease = hand.take()
        hand.settle(lease, then="part")
        hand.ripen()

    assert "deaths" not in hand.state()


def test_suspects_that_passed_are_cleared(hand: Hand) -> None:
    hand.append("a", "b")
    hand.die(2)
    hand.append("c", "d")
    lease = hand.take(max_events=2)
    hand.settle(lease, lease.entries)

    assert texts(lease) == ["a", "b"]
    assert hand.state().keys() & {"sus", "deaths", "solo"} == set()
    assert texts(hand.take()) == ["c", "d"]


def test_a_death_under_a_pause_is_counted_once(hand: Hand) -> None:
    hand.append("a")
    hand.take()
    hand.store.admin.pause("1001", reason="blocked", seconds=60)
    for _ in range(3):
        hand.ripen()
        assert hand.lease() is None

    assert hand.state()["deaths"] == "1"


def test_events_behind_the_suspects_are_no_suspects(hand: Hand) -> None:
    hand.append("a")
    hand.die(3)
    hand.redis.xdel(keys.stream(0, LANE), hand.take().entries[0].id)
    hand.ripen()
    hand.append("b", "c")

    assert texts(hand.take()) == ["b", "c"]
