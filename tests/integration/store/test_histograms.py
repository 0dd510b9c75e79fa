"""settle.lua: ages and requests are counted by what was really removed, and once."""

from tests.integration.store.hand import Hand
from worker.store import Entry, Exit, Lease, Settlement
from worker.store.histograms import DELIVERY_AGE, QUEUE_AGE, post_seconds

AGE, QUEUED = DELIVERY_AGE.field(20), QUEUE_AGE.field(3)
POSTS = post_seconds("Delivered")
ONE_POST = {POSTS.field(0.2): 1, POSTS.sum_field: 200}


def aged(entries: tuple[Entry, ...]) -> Exit:
    """Return delivered entries that are 20 seconds old each, and were enqueued 3 seconds ago."""
    return Exit(
        ("delivered", "fresh", AGE, QUEUED), entries, age_ms=20_000 * len(entries), queue_ms=3_000 * len(entries)
    )


def settle(hand: Hand, lease: Lease, entries: tuple[Entry, ...], **options: object) -> None:
    hand.store.lanes.settle(lease, Settlement("part", exits=[aged(entries)], **options))  # type: ignore[arg-type] # as given


def test_ages_are_counted_by_what_was_really_removed(hand: Hand) -> None:
    hand.append("a", "b", "c")
    zombie = hand.take()
    hand.ripen()
    successor = hand.take()
    settle(hand, successor, successor.entries[:2])
    settle(hand, zombie, zombie.entries)
    counters = hand.counts().counters

    assert (counters["delivered"], counters[AGE], counters[QUEUED]) == (3, 3, 3)
    assert (DELIVERY_AGE.read(counters).sum_seconds, QUEUE_AGE.read(counters).sum_seconds) == (60, 9)


def test_a_settle_sent_twice_counts_ages_and_requests_once(hand: Hand) -> None:
    hand.append("a", "b")
    lease = hand.take()
    hand.store.lanes.mark(lease, 1, lease.entries)
    for _ in range(2):
        settle(hand, lease, lease.entries[:1], posts=ONE_POST, mark_number=1)
    counters = hand.counts().counters

    assert (counters[AGE], POSTS.read(counters).total, POSTS.read(counters).sum_seconds) == (1, 1, 0.2)


def test_a_request_is_not_counted_when_its_lease_was_lost(hand: Hand) -> None:
    hand.append("a")
    zombie = hand.take()
    hand.store.lanes.mark(zombie, 1, zombie.entries)
    hand.ripen()
    hand.take()
    settle(hand, zombie, zombie.entries, posts=ONE_POST, mark_number=1)
    counters = hand.counts().counters

    assert (counters["delivered"], counters[AGE], POSTS.read(counters).total) == (1, 1, 0)


def test_requests_are_counted_at_a_retry_too(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.store.lanes.mark(lease, 1, lease.entries)
    failed = post_seconds("Transient")
    hand.store.lanes.settle(
        lease, Settlement("retry", retry_ms=1000, posts={failed.field(40): 1, failed.sum_field: 40_000}, mark_number=1)
    )

    assert failed.read(hand.counts().counters).cumulative[-2:] == (("30", 0), ("+Inf", 1))
