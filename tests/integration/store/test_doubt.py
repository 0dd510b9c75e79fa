"""mark.lua and what may have been delivered: counted when it is sent again, and forgotten when it has passed."""

from typing import Any

import pytest

from tests.integration.store.hand import Hand, texts
from worker.store import Connection, Entry, Lease


def mark(hand: Hand, lease: Lease, entries: tuple[Entry, ...], number: int = 1) -> bool:
    return hand.store.lanes.mark(lease, number, entries)


def doubted(lease: Lease) -> list[str]:
    return [entry.event.decode() for entry in lease.entries if lease.in_doubt(entry.id)]


def test_a_worker_that_died_in_its_post_leaves_the_marked_events_in_doubt(hand: Hand) -> None:
    hand.append("a", "b", "c", "d")
    lease = hand.take()
    mark(hand, lease, lease.entries[1:3])
    hand.ripen()

    assert doubted(hand.take()) == ["b", "c"]


def test_what_is_in_doubt_is_counted_when_it_is_marked_again(hand: Hand) -> None:
    hand.append("a", "b", "c", "d")
    lease = hand.take()
    mark(hand, lease, lease.entries[1:3])
    hand.ripen()
    mark(hand, again := hand.take(), again.entries)

    assert (hand.counter("possible_duplicates"), hand.counter("requests")) == (2, 2)


def test_an_answer_that_leaves_it_open_keeps_the_doubt(hand: Hand) -> None:
    hand.append("a", "b")
    mark(hand, lease := hand.take(), lease.entries)
    hand.settle(lease, then="retry", in_doubt=True)

    assert doubted(hand.take()) == ["a", "b"]


def test_an_answer_that_says_it_was_not_taken_ends_the_doubt(hand: Hand) -> None:
    hand.append("a", "b")
    mark(hand, lease := hand.take(), lease.entries)
    hand.settle(lease, then="retry")

    assert hand.take().doubt is None


def test_doubt_of_an_earlier_lease_survives_a_clean_refusal(hand: Hand) -> None:
    hand.append("a", "b")
    mark(hand, lease := hand.take(), lease.entries)
    hand.settle(lease, then="retry", in_doubt=True)
    mark(hand, again := hand.take(), again.entries)
    hand.settle(again, then="retry")

    assert doubted(hand.take()) == ["a", "b"]


def test_the_doubts_of_two_leases_are_united(hand: Hand) -> None:
    hand.append("a", "b", "c", "d")
    first = hand.take()
    mark(hand, first, first.entries[2:3])
    hand.settle(first, then="retry", in_doubt=True)
    second = hand.take()
    mark(hand, second, second.entries[:1])
    hand.ripen()

    assert doubted(hand.take()) == ["a", "b", "c"]


def test_doubt_is_forgotten_when_its_events_are_gone(hand: Hand) -> None:
    hand.append("a", "b", "c")
    lease = hand.take()
    mark(hand, lease, lease.entries[:2])
    hand.ripen()
    again = hand.take()
    hand.settle(again, again.entries[:2])
    last = hand.take()

    assert (texts(last), last.doubt) == (["c"], None)
    assert "snd" not in hand.state()


def test_a_mark_sent_twice_counts_once(hand: Hand) -> None:
    hand.append("a")
    mark(hand, lease := hand.take(), lease.entries)
    hand.ripen()
    again = hand.take()

    assert [mark(hand, again, again.entries) for _ in range(2)] == [True, True]
    assert (hand.counter("possible_duplicates"), hand.counter("requests")) == (1, 2)


def test_who_lost_the_lease_cannot_mark(hand: Hand) -> None:
    hand.append("a")
    zombie = hand.take()
    hand.ripen()
    successor = hand.take()

    assert mark(hand, zombie, zombie.entries) is False
    assert mark(hand, successor, successor.entries) is True
    assert hand.counter("requests") == 1


def test_a_mark_renews_the_lease(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.ripen()
    mark(hand, lease, lease.entries)

    assert (hand.held() or 0) > hand.now_ms() + 50_000
    assert hand.lease() is None


def test_a_worker_that_was_slow_but_not_replaced_may_go_on(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.ripen()

    assert mark(hand, lease, lease.entries) is True


def test_a_lease_call_that_comes_late_leaves_the_mark_that_was_made_since(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.append("a", "b")
    sent: list[tuple[Connection, str, list[str], list[Any]]] = []
    run = Connection.run

    def listen(connection: Connection, name: str, key_names: list[str], args: list[Any]) -> Any:  # noqa: ANN401 - as run
        sent.append((connection, name, key_names, args))
        return run(connection, name, key_names, args)

    monkeypatch.setattr(Connection, "run", listen)
    lease = hand.take()
    late = next(call for call in sent if call[1] == "lease")
    assert hand.store.lanes.mark(lease, 1, lease.entries)
    run(*late)
    hand.ripen()

    assert hand.take().doubt
    assert "deaths" not in hand.state()


def test_a_mark_that_comes_late_leaves_the_next_one(hand: Hand) -> None:
    hand.append("a", "b")
    lease = hand.take()
    first, second = lease.entries
    hand.store.lanes.mark(lease, 1, [first])
    hand.settle(lease, (first,), then="part", mark_number=1)
    hand.store.lanes.mark(lease, 2, [second])
    hand.store.lanes.mark(lease, 1, [first])
    hand.settle(lease, then="retry", mark_number=2, in_doubt=True)
    hand.ripen()

    assert hand.take().in_doubt(second.id)
    assert hand.counter("requests") == 2
