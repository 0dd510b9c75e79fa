"""A worker that is up and takes no work ends itself, and its supervisor starts one that does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import ROOT, wait_until

DATASET, OTHER = "7001", "7002"
DEAF_SECONDS = 3
LINE = "takes no work from the broker"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, {DATASET: "token-a", OTHER: "token-b"}, CAPI_DEAF_SECONDS=str(DEAF_SECONDS)) as site:
        yield site


@pytest.fixture
def deaf_once(tmp_path: Path) -> dict[str, str]:
    marker = tmp_path / "deaf"
    marker.touch()
    return {"PYTHONPATH": str(ROOT / "tests" / "fakes" / "deaf"), "DEAF_ONCE": str(marker)}


def _start(site: Site, deaf_once: dict[str, str]) -> subprocess.Popen[bytes]:
    site.relay.env |= deaf_once
    return site.relay.start_worker()


def test_a_deaf_worker_ends_with_one_and_the_next_one_delivers(site: Site, deaf_once: dict[str, str]) -> None:
    deaf = _start(site, deaf_once)
    site.accept([events.lead("one")], DATASET)

    assert deaf.wait(timeout=60) == 1
    assert site.relay.log.read_text().count(LINE) == 1
    assert site.taken() == 0

    _start(site, deaf_once)
    site.wait_until_empty()

    assert site.taken() == 1


def test_up_starts_a_deaf_worker_again(site: Site, deaf_once: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "worker", "up"],
            cwd=ROOT,
            env={**site.relay.env, **deaf_once},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    site.relay.workers.append(up)
    site.accept([events.lead("one")], DATASET)
    site.wait_until_empty(seconds=90)
    up.send_signal(signal.SIGTERM)

    assert up.wait(timeout=60) == 0
    assert "worker ended by itself with code 1" in log.read_text()
    assert site.taken() == 1


def test_a_worker_whose_threads_are_all_at_long_requests_goes_on(site: Site) -> None:
    site.meta.faults([{"kind": "slow", "seconds": 3 * DEAF_SECONDS}])
    worker = site.relay.start_worker(concurrency=1)
    site.accept([events.lead("one")], DATASET)
    wait_until(lambda: site.in_flight() == 1, "the request is under way")
    site.accept([events.lead("two")], OTHER)
    wait_until(lambda: bool(site.store._connection.command("LLEN", "capi-celery:capi")), "a hint waits for the thread")
    end = time.monotonic() + 2 * DEAF_SECONDS
    wait_until(lambda: time.monotonic() > end or worker.poll() is not None, "the limit is long over")

    assert worker.poll() is None
    os.killpg(worker.pid, signal.SIGKILL)
