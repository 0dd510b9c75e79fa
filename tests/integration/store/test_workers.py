"""alive.lua: workers are seen for as long as they tell of themselves."""

from dataclasses import replace

import pytest

from capi_relay import keys
from tests.fakes.relay import wait_until
from tests.integration.store.hand import Hand
from worker.store import WorkerSign, workers

SIGN = WorkerSign("one:1", started_ms=1_000, slots=16, pumps=2, busy=1, rss_bytes=50_000_000, last_batch_ms=0)


def test_a_worker_is_seen_as_it_told_last(hand: Hand) -> None:
    hand.store.workers.tell(SIGN)
    hand.store.workers.tell(replace(SIGN, busy=0, last_batch_ms=5))

    assert hand.store.workers.seen() == [replace(SIGN, busy=0, last_batch_ms=5)]


def test_a_worker_tells_that_it_does_not_reach_meta_and_why(hand: Hand) -> None:
    cut_off = replace(SIGN, unreached_since_ms=7, next_try_ms=9, unreached_why="no answer in time")
    hand.store.workers.tell(cut_off)

    assert hand.store.workers.seen() == [cut_off]


def test_workers_are_counted_and_listed_by_name(hand: Hand) -> None:
    other = replace(SIGN, name="another:2")

    assert [hand.store.workers.tell(SIGN), hand.store.workers.tell(other)] == [1, 2]
    assert hand.store.workers.seen() == [other, SIGN]


def test_without_workers_none_is_seen(hand: Hand) -> None:
    assert hand.store.workers.seen() == []


def test_who_tells_nothing_is_gone_and_forgotten(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ALIVE_SECONDS", 0.05)
    hand.store.workers.tell(SIGN)
    wait_until(lambda: hand.store.workers.seen() == [], "its time has run out")

    assert hand.store.workers.tell(replace(SIGN, name="another:2")) == 1


def test_a_full_server_takes_a_sign_of_life(hand: Hand) -> None:
    with hand.full_server():
        assert hand.store.workers.tell(SIGN) == 1


def test_a_worker_of_another_version_is_seen_with_what_both_know(hand: Hand) -> None:
    hand.store.workers.tell(SIGN)
    hand.redis.hset(keys.worker(0, SIGN.name), "of_a_newer_version", "1.5")
    hand.redis.hdel(keys.worker(0, SIGN.name), "pumps")

    assert hand.store.workers.seen() == [replace(SIGN, pumps=0)]
