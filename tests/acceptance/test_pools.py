"""The worker under Celery's own command line, with each pool: it delivers, and SIGTERM ends it in order."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import ROOT, wait_until

TOKENS = {"3001": "token-a", "3002": "token-b"}
EVENTS = 2_500
STOP_SECONDS = 30


def start(site: Site, *options: str) -> subprocess.Popen[bytes]:
    """Start ``celery worker`` as a person who knows Celery does."""
    words = ["-A", "worker.app", "worker", "-Q", "capi", "--without-gossip", "--without-mingle", *options]
    with site.relay.log.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *words],
            cwd=ROOT,
            env=site.relay.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    site.relay.workers.append(worker)
    return worker


@pytest.mark.parametrize(
    "options", [("-P", "gevent", "-c", "50"), ("-P", "prefork", "-c", "2"), ("-P", "threads", "-c", "16")]
)
def test_every_pool_delivers_and_finishes_what_is_in_flight(tmp_path: Path, options: Sequence[str]) -> None:
    with running_site(tmp_path, TOKENS) as site:
        for name in TOKENS:
            site.accept([events.lead(f"{name}-{number}") for number in range(EVENTS)], name)
        worker = start(site, *options)
        site.wait_until_empty()
        site.meta.faults([{"kind": "slow", "seconds": 1.5}])
        taken = site.taken()
        site.accept([events.lead(f"more-{number}") for number in range(EVENTS)], "3001")
        wait_until(lambda: site.taken() > taken, "a request is taken and not answered yet")
        os.kill(worker.pid, signal.SIGTERM)

        assert worker.wait(STOP_SECONDS) == 0, site.relay.log.read_text()[-3000:]
        assert (site.counted("delivered"), site.in_flight()) == (site.taken(), 0)
        assert site.meta.ledger()["duplicates"] == 0
