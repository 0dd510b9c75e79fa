"""SIGTERM under load: the requests in flight are finished and settled, and the lanes go to the next worker at once."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import wait_until

TOKENS = {"3001": "token-a", "3002": "token-b", "3003": "token-c"}
EVENTS_EACH = 2_500
SLOW = {"kind": "slow", "seconds": 1.5}
STOP_SECONDS = 15
# Far less than the 90 s after which a lease that was not given back would expire.
AT_ONCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Stopped:
    """A worker was told to stop under load, and this is what was left when it had ended."""

    site: Site
    exit_code: int
    taken: int
    delivered: int
    in_flight: int


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    with running_site(tmp_path_factory.mktemp("stopped"), TOKENS) as site:
        code = _stop_with_requests_in_flight(site).wait(STOP_SECONDS)
        yield Stopped(site, code, site.taken(), site.counted("delivered"), site.in_flight())


def _stop_with_requests_in_flight(site: Site) -> subprocess.Popen[bytes]:
    """End a worker while Meta has taken the first of three requests of each dataset, and has not answered yet."""
    site.meta.faults([SLOW])
    for name in TOKENS:
        site.accept([events.lead(f"{name}-{n}") for n in range(EVENTS_EACH)], name)
    worker = site.relay.start_worker()
    wait_until(lambda: site.meta.ledger()["accepted_requests"] >= len(TOKENS), "a request of each dataset is taken")
    assert site.in_flight() > 0
    _terminate(worker)
    return worker


def _terminate(worker: subprocess.Popen[bytes]) -> None:
    os.killpg(worker.pid, signal.SIGTERM)


def test_a_worker_that_is_told_to_stop_ends_with_exit_code_0(stopped: Stopped) -> None:
    assert stopped.exit_code == 0


def test_what_is_in_flight_is_settled_before_the_worker_ends(stopped: Stopped) -> None:
    assert 0 < stopped.delivered == stopped.taken < len(TOKENS) * EVENTS_EACH


def test_no_lane_is_leased_after_the_worker_has_ended(stopped: Stopped) -> None:
    assert stopped.in_flight == 0


def test_the_next_worker_delivers_the_rest_at_once_and_nothing_twice(stopped: Stopped) -> None:
    site = stopped.site
    site.meta.faults([])
    site.relay.start_worker()
    site.wait_until_empty(seconds=AT_ONCE_SECONDS)
    site.relay.command("reconcile", code=0)
    sent_twice = site.meta.ledger()["duplicates"]

    assert (site.taken(), sent_twice, site.counted("possible_duplicates")) == (len(TOKENS) * EVENTS_EACH, 0, 0)


def test_a_second_sigterm_cuts_nothing_short(tmp_path: Path) -> None:
    with running_site(tmp_path, TOKENS) as site:
        worker = _stop_with_requests_in_flight(site)
        wait_until(lambda: b"Warm shutdown" in site.relay.log.read_bytes(), "the first signal was heard")
        _terminate(worker)

        assert (worker.wait(STOP_SECONDS), site.counted("delivered")) == (0, site.taken())


def test_an_idle_worker_ends_with_exit_code_0(tmp_path: Path) -> None:
    with running_site(tmp_path, TOKENS) as site:
        worker = site.relay.start_worker()
        _terminate(worker)

        assert worker.wait(STOP_SECONDS) == 0
