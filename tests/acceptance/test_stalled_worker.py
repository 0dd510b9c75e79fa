"""A worker is stopped past its lease and wakes up again: its successor has sent its events, and it does no harm."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import wait_until

TOKENS = {"6001": "token-a", "6002": "token-b"}
EVENTS_EACH = 2_500
TOTAL = len(TOKENS) * EVENTS_EACH
SHORT_LEASES = {"CAPI_LEASE_SECONDS": "3", "CAPI_HTTP_TOTAL_SECONDS": "1.5"}
SLOW = {"kind": "slow", "seconds": 1.0}


@dataclass(frozen=True, slots=True)
class Woken:
    """The site after the stalled worker woke up and heard that its leases are others'."""

    site: Site
    delivered_while_it_slept: int


@pytest.fixture(scope="module")
def woken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Woken]:
    with running_site(tmp_path_factory.mktemp("stalled"), TOKENS, **SHORT_LEASES) as site:
        site.meta.faults([SLOW])
        for name in TOKENS:
            site.accept([events.lead(f"{name}-{n}") for n in range(EVENTS_EACH)], name)
        sleeper = site.relay.start_worker()
        wait_until(lambda: site.meta.ledger()["accepted_requests"] >= len(TOKENS), "its requests are in flight")
        os.killpg(sleeper.pid, signal.SIGSTOP)
        site.meta.faults([])
        successor = site.relay.start_worker()
        site.wait_until_empty()
        delivered = site.counted("delivered")
        os.killpg(successor.pid, signal.SIGKILL)
        successor.wait()
        os.killpg(sleeper.pid, signal.SIGCONT)
        wait_until(lambda: b"after the lease was lost" in site.relay.log.read_bytes(), "the sleeper has settled")
        yield Woken(site, delivered)


def test_another_worker_sends_what_the_stalled_one_held(woken: Woken) -> None:
    assert woken.delivered_while_it_slept == TOTAL


def test_what_the_stalled_worker_settles_late_is_not_counted_again(woken: Woken) -> None:
    woken.site.relay.command("reconcile", code=0)

    assert (woken.site.counted("delivered"), woken.site.counted("enqueued")) == (TOTAL, TOTAL)


def test_what_the_stall_sent_twice_was_counted_as_possible_duplicates(woken: Woken) -> None:
    assert 0 < woken.site.meta.ledger()["duplicates"] <= woken.site.counted("possible_duplicates")


def test_the_worker_that_woke_up_goes_on_delivering(woken: Woken) -> None:
    woken.site.accept([events.lead("after-the-nap")], "6001")

    wait_until(lambda: woken.site.occurrences()["after-the-nap"] == 1, "the sleeper delivers again", seconds=20)
