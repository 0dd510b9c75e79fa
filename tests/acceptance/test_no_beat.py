"""Celery beat is a comfort: delivery starts without one, three send nothing twice, and none floods the broker."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import wait_until

TOKENS = {"5001": "token-a", "5002": "token-b", "5003": "token-c"}
EVENTS_EACH = 2_000
QUEUE = "capi-celery:capi"
CAP = 64
BEATS = 3
# From the enqueue to Meta: half a second of linger, and the next tick of the worker itself.
START_SECONDS = 5


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, TOKENS) as site:
        yield site


def _queued(site: Site) -> int:
    return int(site.store._connection.command("LLEN", QUEUE))


def test_a_worker_without_beat_delivers_within_five_seconds(site: Site) -> None:
    site.relay.start_worker()
    site.accept([events.lead("first")], "5001")
    began = time.monotonic()
    wait_until(lambda: site.taken() == 1, "the event has arrived", every=0.02)

    assert time.monotonic() - began < START_SECONDS


def test_a_worker_without_beat_delivers_again_after_it_was_idle(site: Site) -> None:
    site.relay.start_worker()
    site.accept([events.lead("first")], "5001")
    site.wait_until_empty()
    wait_until(lambda: _queued(site) == 0, "the worker is idle")
    site.accept([events.lead("second")], "5002")
    began = time.monotonic()
    wait_until(lambda: site.taken() == 2, "the event has arrived", every=0.02)

    assert time.monotonic() - began < START_SECONDS


def test_three_beats_and_two_workers_send_nothing_twice(site: Site) -> None:
    for _ in range(BEATS):
        site.relay.start_beat()
    for _ in range(2):
        site.relay.start_worker(ready=False)
    for name in TOKENS:
        site.accept([events.lead(f"{name}-{n}") for n in range(EVENTS_EACH)], name)
    site.wait_until_empty()
    site.relay.command("reconcile", code=0)

    assert (site.taken(), site.meta.ledger()["duplicates"]) == (len(TOKENS) * EVENTS_EACH, 0)


def test_beats_without_a_worker_keep_the_queue_under_its_cap(site: Site) -> None:
    for _ in range(BEATS):
        site.relay.start_beat()
    wait_until(lambda: _queued(site) > 0, "beat has published")
    (tick,) = site.store._connection.command("LRANGE", QUEUE, 0, 0)
    for _ in range(CAP - _queued(site) - BEATS):  # as if they had been alone for a minute
        site.store._connection.command("LPUSH", QUEUE, tick)
    wait_until(lambda: _queued(site) >= CAP, "the queue is full")
    end = time.monotonic() + 3  # three more ticks
    longest = max(_queued(site) for _ in itertools.takewhile(lambda _: time.monotonic() < end, itertools.count()))

    assert longest < CAP + BEATS  # each may have counted before the others published


def test_a_worker_that_comes_late_is_not_stopped_by_a_full_queue(site: Site) -> None:
    site.relay.start_beat()
    wait_until(lambda: _queued(site) > 0, "beat has published")
    (tick,) = site.store._connection.command("LRANGE", QUEUE, 0, 0)
    for _ in range(CAP):
        site.store._connection.command("LPUSH", QUEUE, tick)
    site.accept([events.lead("late")], "5003")
    site.relay.start_worker()

    wait_until(lambda: site.taken() == 1, "the event has arrived", seconds=START_SECONDS)
