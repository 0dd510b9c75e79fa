import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.relay import ROOT, wait_until
from tests.integration.cli.conftest import FOREIGN

START_SECONDS = 40

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processes from /proc")


class Up:
    """``up`` in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "up.log"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.env["PYTHONPATH"] = str(ROOT)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", "up"], cwd=folder, env=self.env, stdout=log, stderr=log
            )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command beside it."""
        return subprocess.run(
            [sys.executable, "-m", "worker", *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def text(self) -> str:
        """Return what it and its processes wrote."""
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        """Wait for the worker."""
        wait_until(
            lambda: " ready." in self.text() or self.process.poll() is not None, "it runs", seconds=START_SECONDS
        )
        assert self.process.poll() is None, self.text()

    def children(self) -> dict[int, str]:
        """Return the command lines of the processes that it started and that run now, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended meanwhile
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid:
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        return found

    def child(self, word: str) -> int:
        """Return the process id of the one whose command line has this word."""
        (pid,) = (pid for pid, command in self.children().items() if f" {word} " in command)
        return pid


@pytest.fixture
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("u"))
    yield running
    if running.process.poll() is None:
        for child in running.children():
            os.kill(child, signal.SIGKILL)
        running.process.kill()
    running.process.wait()


def test_all_runs_with_a_store_of_its_own_and_ends_with_zero(up: Up) -> None:
    up.wait_until_ready()
    sent = up.command("send", "-", "--dataset", "1", "--json")
    checked = up.command("check", "--offline")
    status = up.command("status", "--json")
    up.process.send_signal(signal.SIGTERM)

    assert up.process.wait(60) == 0, up.text()
    assert (sent.returncode, checked.returncode, status.returncode) == (0, 0, 0)
    assert not (up.folder / ".capi" / "redis.sock").exists()


def test_it_prints_the_line_that_an_app_in_another_folder_needs(up: Up) -> None:
    up.wait_until_ready()

    assert f"export CAPI_REDIS_URL=unix://{up.folder}/.capi/redis.sock\n" in up.text()


def test_ctrl_c_ends_it_with_zero_and_leaves_no_process(up: Up) -> None:
    up.wait_until_ready()
    children = up.children()
    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(60) == 0, up.text()
    assert len(children) == 3
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_a_beat_that_dies_is_started_again_and_delivery_goes_on(up: Up) -> None:
    up.wait_until_ready()
    first = up.child("beat")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: "beat ended by itself" in up.text(), "it is noticed")
    wait_until(lambda: any(" beat " in line for pid, line in up.children().items() if pid != first), "it is back")

    assert up.process.poll() is None
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 0, up.text()


def test_an_embedded_store_that_dies_is_started_again(up: Up) -> None:
    up.wait_until_ready()
    up.command("send", "-", "--dataset", "1")
    (store,) = (pid for pid, line in up.children().items() if "redis.sock" in line)
    os.kill(store, signal.SIGKILL)
    wait_until(lambda: "it is started again" in up.text(), "it is noticed")

    assert up.command("status", "--json").returncode == 0
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(60) == 0, up.text()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux watches")
def test_killed_it_leaves_no_process_behind(up: Up) -> None:
    up.wait_until_ready()
    children = up.children()
    up.process.kill()
    up.process.wait()

    assert len(children) == 3
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "all have ended")


def test_a_second_one_on_the_same_directory_is_refused(up: Up) -> None:
    up.wait_until_ready()
    second = up.command("up")

    assert second.returncode == 2
    assert "a server already runs on" in second.stderr


def test_asked_twice_it_does_not_wait_for_the_worker(up: Up) -> None:
    up.wait_until_ready()
    os.kill(up.child("tasks"), signal.SIGSTOP)
    up.process.send_signal(signal.SIGINT)
    wait_until(lambda: "Stopping" in up.text(), "it has noticed")
    started = time.monotonic()
    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(60) == 0, up.text()
    assert time.monotonic() - started < 20
