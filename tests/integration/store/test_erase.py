"""erase.lua and the walk over lanes: what is erased, what is under way and left alone, and that the equation holds."""

import json
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from threading import Thread

import pytest

from capi_relay import Producer, keys
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from tests.integration.store.hand import DATASET, LANE, Hand
from worker.erasure import Erasure, erase, person_of
from worker.store import Store

ADA = person_of("em", "ada@example.com")
THEIRS = json.dumps({"user_data": {"em": sha256(b"ada@example.com").hexdigest()}})
OTHERS = json.dumps({"user_data": {"em": sha256(b"bob@example.com").hexdigest()}})


@pytest.fixture
def sharded(event_store: EmbeddedServer) -> Iterator[Store]:
    with closing(Store(event_store.url, shards=2)) as store:
        assert store.shards == 2
        yield store


def test_a_persons_events_are_erased_from_all_lanes_and_counted(hand: Hand) -> None:
    for lane in ("0", "1", "late", "store"):
        hand.append(OTHERS, THEIRS, THEIRS, OTHERS, lane=f"{DATASET}/{lane}")
    found = erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert found == Erasure(waiting=8)
    assert [hand.length(f"{DATASET}/{lane}") for lane in ("0", "1", "late", "store")] == [2, 2, 2, 2]
    assert (hand.counter("erased"), hand.counts().unaccounted) == (8, 0)
    assert hand.size("bytes") == 8 * (len(OTHERS) + 128)


def test_what_is_under_a_lease_is_left_to_its_holder_and_all_behind_it_goes(hand: Hand) -> None:
    hand.append(THEIRS, THEIRS, THEIRS)
    lease = hand.take(max_events=2)
    found = erase(hand.store, ADA, DATASET, wait_seconds=0)
    counts = hand.counts()
    settled = hand.settle(lease, lease.entries)

    assert found == Erasure(waiting=1, not_reached=2)
    assert (counts.in_flight, counts.unaccounted) == (2, 0)
    assert settled.removed == (2,)
    assert (hand.counter("delivered"), hand.counter("erased"), hand.counts().unaccounted) == (2, 1, 0)


def test_what_comes_back_from_a_lease_is_erased_within_the_wait(hand: Hand) -> None:
    hand.append(THEIRS, THEIRS)
    lease = hand.take()
    found: list[Erasure] = []
    erasing = Thread(target=lambda: found.append(erase(hand.store, ADA, DATASET, wait_seconds=30)))
    erasing.start()
    hand.settle(lease, lease.entries[:1], then="retry", retry_ms=60_000)
    erasing.join(30)

    assert found[0].waiting == 1 or found == [Erasure(waiting=1, left_meanwhile=1)]
    assert (hand.length(), hand.counter("delivered"), hand.counts().unaccounted) == (0, 1, 0)


def test_an_expired_lease_is_fenced_off(hand: Hand) -> None:
    hand.append(THEIRS, OTHERS)
    lease = hand.take()
    hand.ripen()
    found = erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert found == Erasure(waiting=1)
    assert not hand.store.lanes.mark(lease, 1, lease.entries)
    assert hand.counts().unaccounted == 0
    assert len(hand.take().entries) == 1
    assert hand.state()["deaths"] == "1"  # what is known of a crash is not forgotten


def test_a_paused_lane_is_erased_too_and_stays_paused(hand: Hand) -> None:
    hand.append(THEIRS, OTHERS)
    hand.store.admin.pause(DATASET, reason="manual", seconds=None)
    hand.lease()

    assert erase(hand.store, ADA, DATASET, wait_seconds=0) == Erasure(waiting=1)
    assert hand.lease() is None
    hand.store.admin.resume(DATASET)
    assert len(hand.take().entries) == 1


def test_an_emptied_lane_takes_events_again(hand: Hand) -> None:
    hand.append(THEIRS)
    erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert hand.lease() is None
    hand.append(OTHERS)
    hand.ripen()
    assert len(hand.take().entries) == 1


def test_dead_letters_are_deleted_and_their_doors_stay_counted(hand: Hand) -> None:
    hand.append(THEIRS, OTHERS)
    hand.settle(lease := hand.take(), dead=lease.entries)
    found = erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert found == Erasure(dead_letters=1)
    assert [letter.event.decode() for letter in hand.store.dead.read(DATASET)] == [OTHERS]
    assert (hand.counter("rejected"), hand.counter("erased"), hand.counts().unaccounted) == (2, 0, 0)


def test_a_dry_run_counts_and_changes_nothing(hand: Hand) -> None:
    hand.append(THEIRS, THEIRS, OTHERS)
    hand.settle(lease := hand.take(max_events=1), dead=lease.entries)
    before = (hand.length(), hand.counts().dead_letters, hand.counter("erased"))

    assert erase(hand.store, ADA, DATASET, wait_seconds=0, dry_run=True) == Erasure(waiting=1, dead_letters=1)
    assert (hand.length(), hand.counts().dead_letters, hand.counter("erased")) == before


def test_an_event_of_another_hand_is_found_and_counted_as_foreign_and_erased(hand: Hand) -> None:
    hand.append(OTHERS)
    hand.foreign(e='{"user_data": {"email": "Ada@example.com"}}')
    hand.foreign(odd="ada@example.com")

    assert erase(hand.store, ADA, DATASET, wait_seconds=0) == Erasure(waiting=2)
    assert (hand.counter("foreign"), hand.counter("erased"), hand.counts().unaccounted) == (2, 2, 0)


def test_an_erasure_that_is_run_twice_finds_nothing(hand: Hand) -> None:
    hand.append(THEIRS)
    erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert erase(hand.store, ADA, DATASET, wait_seconds=0) == Erasure()


def test_a_long_lane_is_walked_in_pages(hand: Hand) -> None:
    for _ in range(3):
        hand.append(*([OTHERS] * 499), THEIRS, lane=LANE)

    assert erase(hand.store, ADA, DATASET, wait_seconds=0) == Erasure(waiting=3)
    assert hand.length() == 3 * 499


def test_a_full_server_can_be_erased_from(hand: Hand) -> None:
    hand.append(THEIRS)
    with hand.full_server():
        found = erase(hand.store, ADA, DATASET, wait_seconds=0)

    assert found == Erasure(waiting=1)


def test_the_datasets_of_all_shards_are_reached(sharded: Store, event_store: EmbeddedServer) -> None:
    ids = ("11", "12", "13", "14")
    with closing(Producer(event_store.url, shards=2, linger_seconds=0, deadline_seconds=20)) as producer:
        for dataset_id in ids:
            for address in ("ada@example.com", "bob@example.com"):
                producer.enqueue(purchase() | {"user_data": {"em": address}}, dataset_id=dataset_id)
    found = [erase(sharded, ADA, each, wait_seconds=0) for each in sharded.admin.dataset_ids()]

    assert {keys.shard_of(dataset_id, 2) for dataset_id in ids} == {0, 1}
    assert found == [Erasure(waiting=1)] * 4
    assert [sharded.admin.counts(each).unaccounted for each in ids] == [0] * 4
