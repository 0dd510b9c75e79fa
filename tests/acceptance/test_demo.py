"""``make demo`` works from start to end, whatever the surroundings are set to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.relay import ROOT

DEMO = [sys.executable, "-m", "worker", "demo"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run the demo where everything points to other places."""
    places = {
        "CAPI_REDIS_URL": "redis://127.0.0.1:1",
        "CAPI_SHARDS": "many",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1",
    }
    folder = str(tmp_path_factory.mktemp("d"))
    env = {
        **os.environ,
        **places,
        "CAPI_GRAPH_URL": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "TMPDIR": folder,
    }
    return subprocess.run(DEMO, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_it_exits_with_zero(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 0, shown.stdout + shown.stderr


def test_it_shows_that_all_numbers_agree(shown: subprocess.CompletedProcess[str]) -> None:
    assert "0 events unaccounted for, 0 sent twice" in shown.stdout
    assert "All numbers agree" in shown.stdout


def test_it_explains_a_dead_letter(shown: subprocess.CompletedProcess[str]) -> None:
    assert "2804004" in shown.stdout
    assert "event_time is in the future." in shown.stdout


def test_it_says_nothing_on_stderr(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.stderr == ""


def test_ctrl_c_ends_it_with_everything_it_started(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("d")
    env = {**os.environ, "TMPDIR": str(folder)}
    demo = subprocess.Popen(DEMO, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    while "Enqueued" not in demo.stdout.readline():
        assert demo.poll() is None
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=90)

    assert demo.returncode == 1
    assert list(folder.iterdir()) == []
    assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in _text(path)] == []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
