"""Rows 80 and 81 of the fault matrix: reporting that is down, and a log that cannot be written, stop no delivery."""

import subprocess
import sys
import time
from pathlib import Path

from tests.acceptance.site import running_site
from tests.fakes import events
from tests.fakes.relay import wait_until
from tests.fakes.server import free_port

TOKENS = {"9001": "token-a"}
SOON_SECONDS = 10


def test_a_sentry_that_is_down_delays_no_event(tmp_path: Path) -> None:
    dsn = f"http://key@127.0.0.1:{free_port()}/1"
    with running_site(tmp_path, TOKENS, SENTRY_DSN=dsn) as site:
        site.meta.faults([{"kind": "code", "code": 10, "times": 1}])  # a pause, which Sentry is told of
        site.accept([events.lead("first")], "9001")
        site.relay.start_worker()
        wait_until(lambda: b"datasets paused" in site.relay.log.read_bytes(), "the dataset is paused")
        began = time.monotonic()
        site.relay.command("resume", "9001")
        site.wait_until_empty(seconds=SOON_SECONDS)

        assert site.occurrences() == {"first": 1}
        assert time.monotonic() - began < SOON_SECONDS


def test_a_closed_stderr_stops_no_delivery(tmp_path: Path) -> None:
    with running_site(tmp_path, TOKENS) as site:
        site.accept([events.lead("first")], "9001")
        program = (
            "import os, sys; os.close(1); os.close(2); "
            "from worker.observability import configure_logging; configure_logging('json'); "
            "from worker.runtime import build; from worker.settings import load; from worker.shutdown import Shutdown; "
            "build(load(), Shutdown()).pump.run()"
        )
        subprocess.run(
            [sys.executable, "-c", program], cwd=Path(__file__).parents[2], env=site.relay.env, check=True, timeout=60
        )

        assert site.occurrences() == {"first": 1}
