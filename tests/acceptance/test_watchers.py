"""What only watches is never in the way: beat, Flower and Sentry may die, refuse or hang: delivery goes on."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import ROOT, wait_until
from tests.fakes.server import free_port

TOKENS = {"6001": "token-a", "6002": "token-b", "6003": "token-bad"}
GOOD = ("6001", "6002")
ROUND_EVENTS = 1_500
# Two datasets, half a second of linger, and a machine that runs other tests; a timeout of a watcher would be longer.
ROUND_SECONDS = 15
# The longest that a worker may take to end beyond its POSTs: what Sentry's last reports are given is two of them.
STOP_SECONDS = 10
FLOWER = [sys.executable, "-m", "celery", "-A", "worker.app", "flower", "--conf=deploy/flowerconfig.py"]


@contextmanager
def hanging_sentry() -> Iterator[str]:
    """Run a Sentry that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://key@127.0.0.1:{listening.getsockname()[1]}/1"


@contextmanager
def refusing_sentry() -> Iterator[str]:
    """Name a Sentry that is not there."""
    yield f"http://key@127.0.0.1:{free_port()}/1"


Sentry = Callable[[], AbstractContextManager[str]]


def round_of_events(site: Site, name: str) -> float:
    """Accept events for all datasets, wait until Meta has the good ones, and return the seconds that it took."""
    began, before = time.monotonic(), site.taken()
    for dataset_id in TOKENS:
        site.accept([events.lead(f"{name}-{dataset_id}-{number}") for number in range(ROUND_EVENTS)], dataset_id)
    wait_until(lambda: site.taken() >= before + len(GOOD) * ROUND_EVENTS, "Meta has every event", seconds=60)
    return time.monotonic() - began


def check_books(site: Site, rounds: int) -> None:
    """Check that every good event came once, and that all others wait."""
    wait_until(lambda: site.stored() == rounds * ROUND_EVENTS, "what is left waits in the paused dataset")
    assert [site.store.admin.counts(name).unaccounted for name in TOKENS] == [0, 0, 0]
    assert site.taken() == rounds * len(GOOD) * ROUND_EVENTS
    assert site.meta.ledger()["duplicates"] == 0


def stop(worker: subprocess.Popen[bytes]) -> float:
    """Stop a worker as a supervisor does; return the seconds that it took."""
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("sentry", [refusing_sentry, hanging_sentry])
def test_a_sentry_that_does_not_answer_changes_nothing(tmp_path: Path, sentry: Sentry) -> None:
    with sentry() as dsn, running_site(tmp_path, TOKENS) as site:
        site.meta.faults([{"dataset": "6003", "kind": "token_revoked"}])  # so that there is something to report
        worker = site.relay.start_worker(SENTRY_DSN=dsn, SENTRY_TRACES_SAMPLE_RATE="1")
        took = [round_of_events(site, f"round {number}") for number in range(3)]
        check_books(site, len(took))

        assert max(took) < ROUND_SECONDS, took
        assert stop(worker) < STOP_SECONDS


def test_beat_and_flower_may_be_killed_or_stand_still(tmp_path: Path) -> None:
    with running_site(tmp_path, TOKENS) as site:
        site.meta.faults([{"dataset": "6003", "kind": "token_revoked"}])
        flower = start_flower(site)
        beat = site.relay.start_beat()
        worker = site.relay.start_worker()
        took = [round_of_events(site, "with both")]
        for process in (beat, flower):
            os.killpg(process.pid, signal.SIGSTOP)
        took.append(round_of_events(site, "both stand still"))
        for process in (beat, flower):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        took.append(round_of_events(site, "without both"))
        check_books(site, len(took))

        assert max(took) < ROUND_SECONDS, took
        assert stop(worker) < STOP_SECONDS


def start_flower(site: Site) -> subprocess.Popen[bytes]:
    env = {**site.relay.env, "FLOWER_PORT": str(free_port()), "FLOWER_BASIC_AUTH": "ann:secret"}
    flower = subprocess.Popen(
        FLOWER, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    site.relay.workers.append(flower)  # ended with all others
    return flower
