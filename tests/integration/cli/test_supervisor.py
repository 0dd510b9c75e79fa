import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker.cli.supervisor import StopRequest, Supervisor, stop_request

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WRITES = "import pathlib, signal, sys, time\ndef end(*_):\n open(sys.argv[1], 'a').write(sys.argv[2])\n sys.exit()\n"
WRITES += "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"


def test_what_was_started_last_is_stopped_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    with Supervisor(os.environ, StopRequest()) as processes:
        for name in "abc":
            started = processes.start(name, [sys.executable, "-c", WRITES, str(order), name], stdout=subprocess.PIPE)
            assert started.stdout is not None
            assert started.stdout.readline() == b"up\n"

    assert order.read_text() == "cba"


def test_a_process_that_dies_is_named() -> None:
    with Supervisor(os.environ, StopRequest()) as processes:
        processes.start("steady", SLEEPS)
        processes.start("short", [sys.executable, "-c", "raise SystemExit(3)"])

        assert processes.wait() == "short ended by itself with code 3"


def test_a_process_that_may_die_is_started_again_and_told() -> None:
    said: list[str] = []
    stop = StopRequest()

    def note(line: str) -> None:
        said.append(line)
        stop.times = len(said) - 1  # the second time is enough

    with Supervisor(os.environ, stop, say=note) as processes:
        processes.start("steady", SLEEPS)
        processes.start("short", [sys.executable, "-c", "raise SystemExit(3)"], restarts=None)

        assert processes.wait() is None
    assert said == [f"short ended by itself with code 3; it is started again in {wait} s." for wait in (1, 2)]


def test_a_process_that_dies_more_often_than_it_may_ends_all() -> None:
    with Supervisor(os.environ, StopRequest()) as processes:
        processes.start("short", [sys.executable, "-c", "raise SystemExit(3)"], restarts=1)

        assert processes.wait() == "short ended by itself with code 3"


def test_a_worker_that_refuses_its_settings_is_not_started_again() -> None:
    said: list[str] = []
    with Supervisor(os.environ, StopRequest(), say=said.append) as processes:
        processes.start("worker", [sys.executable, "-c", "raise SystemExit(2)"], restarts=5)

        assert processes.wait() == "worker ended by itself with code 2"
    assert said == []


def test_something_else_that_goes_wrong_ends_the_wait_too() -> None:
    with Supervisor(os.environ, StopRequest()) as processes:
        processes.start("steady", SLEEPS)

        assert processes.wait(lambda: "the store died") == "the store died"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux watches")
def test_the_processes_end_with_a_supervisor_that_is_killed() -> None:
    code = (
        "import os, sys; from worker.cli.supervisor import StopRequest, Supervisor;"
        f"child = Supervisor(os.environ, StopRequest()).start('steady', {SLEEPS!r});"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    child = Path("/proc", killed.stdout.strip())
    deadline = time.monotonic() + 10
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert killed.returncode == -signal.SIGKILL
    assert not child.exists()


def test_waiting_ends_when_someone_asks_to_stop() -> None:
    with stop_request() as stop, Supervisor(os.environ, stop) as processes:
        processes.start("steady", SLEEPS)
        os.kill(os.getpid(), signal.SIGTERM)

        assert processes.wait() is None


def test_a_process_that_does_not_end_is_killed() -> None:
    processes = Supervisor(os.environ, StopRequest(), stop_seconds=0.2)
    stubborn = processes.start("stubborn", [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == b"up\n"
    started = time.monotonic()
    processes.stop()

    assert stubborn.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 10


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_request():
        pass

    assert signal.getsignal(signal.SIGTERM) is before


def test_the_processes_find_the_checkout_from_any_directory() -> None:
    with Supervisor({"PATH": "", "PYTHONPATH": "/elsewhere"}, StopRequest()) as processes:
        command = [sys.executable, "-c", "import os; print(os.environ['PYTHONPATH']); import worker"]
        started = processes.start("prints", command, stdout=subprocess.PIPE)
        assert started.stdout is not None
        path = started.stdout.readline().decode().strip()

    assert path.endswith(f"{os.pathsep}/elsewhere")
    assert Path(path.partition(os.pathsep)[0], "worker", "app.py").exists()
