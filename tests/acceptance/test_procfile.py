"""The Procfile as a process manager runs it: everything starts, an event arrives, SIGTERM ends all in good order."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import ROOT, wait_until
from tests.fakes.server import free_port

DATASET = "7001"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, {DATASET: "token-a"}) as site:
        yield site


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


@contextmanager
def _honcho(site: Site, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the Procfile; honcho gives each process a group of its own, and ends them all when it is asked to end."""
    honcho = Path(sys.executable).with_name("honcho")
    with log.open("wb") as output:
        manager = subprocess.Popen(
            [honcho, "start", "--no-colour", "-f", ROOT / "Procfile"],
            cwd=ROOT,
            env={
                **site.relay.env,
                "PATH": f"{honcho.parent}{os.pathsep}{os.environ['PATH']}",
                "FLOWER_BASIC_AUTH": "user:a-long-password",
                "FLOWER_PORT": str(port),
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield manager
    finally:
        manager.send_signal(signal.SIGTERM)
        manager.wait(timeout=60)


def test_all_processes_start_an_event_is_delivered_and_sigterm_ends_them_with_zero(site: Site, tmp_path: Path) -> None:
    log, port = tmp_path / "honcho.log", free_port()
    with _honcho(site, log, port) as manager:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/healthcheck"), "Flower answers", every=0.2)
        site.accept([events.lead("one")], DATASET)
        site.wait_until_empty()
        wait_until(lambda: "celery beat" in log.read_text(), "beat has started")
    said = log.read_text()

    assert site.taken() == 1
    assert manager.returncode == 128 + signal.SIGTERM, said[-3000:]  # honcho tells how it was asked to end
    assert set(re.findall(r"(\w+)\.1 stopped \(rc=0\)", said)) == {"worker", "beat", "flower"}, said[-3000:]
    assert "SIGKILL" not in said
