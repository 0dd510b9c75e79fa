"""A store that forgot its scripts, is full, stopped or frozen: what still works, and how the rest fails."""

import os
import signal
import time
from contextlib import closing

import pytest

from capi_relay.errors import Overloaded
from tests.fakes.server import EmbeddedServer
from tests.integration.store.hand import DATASET, Hand, texts
from worker.errors import StoreUnavailable
from worker.store import Store


def test_scripts_that_the_server_forgot_are_sent_again(hand: Hand) -> None:
    hand.append("a")
    hand.redis.script_flush()
    hand.append("b")
    hand.take(max_events=1)
    hand.redis.script_flush()
    hand.ripen()

    assert texts(hand.take()) == ["a", "b"]


def test_a_full_server_takes_no_event(hand: Hand) -> None:
    with hand.full_server(), pytest.raises(Overloaded, match="OutOfMemory"):
        hand.append("a")

    assert hand.length() == 0


def test_a_full_server_is_drained_and_takes_dead_letters_and_pauses(hand: Hand) -> None:
    hand.append("a", "b", "c")
    with hand.full_server():
        lease = hand.take()
        assert hand.store.lanes.mark(lease, 1, lease.entries)
        settled = hand.settle(lease, lease.entries[:2], lease.entries[2:])
        hand.store.admin.pause(DATASET, reason="blocked", seconds=60)
        counts = hand.counts()

    assert (settled.owned, settled.removed, settled.dead_letters) == (True, (2,), 1)
    assert (counts.stored, counts.dead_letters, counts.unaccounted) == (0, 1, 0)
    assert counts.pause


def test_a_worker_that_starts_on_a_full_server_can_drain_it(event_store: EmbeddedServer, hand: Hand) -> None:
    hand.append("a")
    with hand.full_server(), closing(Store(event_store.url)) as fresh:
        lease = fresh.lanes.claim(fresh.lanes.look(), max_events=10, max_bytes=100)

    assert lease
    assert texts(lease) == ["a"]


def test_a_replay_waits_until_a_full_server_has_room(hand: Hand) -> None:
    hand.append("a")
    lease = hand.take()
    hand.settle(lease, dead=lease.entries)
    (letter,) = hand.store.dead.read(DATASET)
    with hand.full_server(), pytest.raises(StoreUnavailable, match="could not run replay"):
        hand.store.dead.replay(letter, lane_name="0", meta=b"{}")

    assert hand.counts().dead_letters == 1
    assert hand.store.dead.replay(letter, lane_name="0", meta=b"{}")


def test_a_stopped_server_is_a_store_that_is_unavailable(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url, lease_seconds=2) as hand:  # a holder waits for a quarter of its lease
        hand.append("a")
        lease = hand.take()
        own_store.stop()

        with pytest.raises(StoreUnavailable, match="could not run settle"):
            hand.settle(lease, lease.entries)
        with pytest.raises(StoreUnavailable, match="could not run PING"):
            hand.store.admin.ping()


def test_a_worker_goes_on_when_the_server_is_back(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url) as hand:
        hand.append("a")
        own_store.stop()
        with pytest.raises(StoreUnavailable):
            hand.lease()
        own_store.start()
        hand.append("b")

        assert texts(hand.take()) == ["b"]


def test_a_frozen_server_is_given_up_within_the_time_outs(own_store: EmbeddedServer) -> None:
    pid = own_store.pid
    assert pid
    # The worker's own time-out of 5 s would make this a test of 20 s.
    with closing(Store(f"{own_store.url}?socket_timeout=0.2")) as store:
        store.admin.ping()
        os.kill(pid, signal.SIGSTOP)
        try:
            before = time.monotonic()
            with pytest.raises(StoreUnavailable, match="Timeout"):
                store.admin.ping()
            took_seconds = time.monotonic() - before
        finally:
            os.kill(pid, signal.SIGCONT)

    assert 0.7 < took_seconds < 4 * 0.2 + 3 * 0.5 + 1


def test_an_error_names_the_call_and_neither_url_nor_event(hand: Hand) -> None:
    hand.redis.set("capi1:{s0}:due", "not a sorted set")

    with pytest.raises(StoreUnavailable, match=r"^the event store could not run peek: ResponseError: WRONGTYPE"):
        hand.store.lanes.look()


def test_a_master_that_was_demoted_is_left_so_that_its_name_is_looked_up_again(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url) as hand:
        hand.append("a")
        lease = hand.take()
        lanes, admin = hand.store.lanes, hand.store.admin
        before = admin._connection.command("CLIENT", "ID")
        hand.redis.replicaof("127.0.0.1", "1")
        with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
            admin._connection.command("SET", "capi1:x", "1")
        hand.redis.replicaof("NO", "ONE")

        assert admin._connection.command("CLIENT", "ID") != before
        assert lanes.mark(lease, 1, lease.entries)
