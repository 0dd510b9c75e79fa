"""Run the processes of one machine: start them, notice one that dies, stop them in the opposite order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]
"""Where ``worker``, ``tasks`` and ``deploy`` lie."""
_STOP_SECONDS = 60.0  # a POST takes up to 30, Celery's own end up to 20
_POLL_SECONDS = 0.1

_CELERY = (sys.executable, "-m", "celery", "-A", "worker.app")


def worker_command(environ: Mapping[str, str]) -> list[str]:
    """Return the worker's command line, as the Procfile has it."""
    return [
        *(*_CELERY, "worker", "--pool", "threads", "--concurrency", environ.get("CAPI_CONCURRENCY") or "16"),
        *("--queues", "capi", "--without-gossip", "--without-mingle", "--loglevel", "INFO"),
    ]


def beat_command() -> list[str]:
    """Return beat's command line, as the Procfile has it."""
    return [*_CELERY, "beat", "--loglevel", "INFO"]


def flower_command() -> list[str]:
    """Return Flower's command line, as the Procfile has it."""
    return [*_CELERY, "flower", f"--conf={ROOT / 'deploy' / 'flowerconfig.py'}"]


class StopRequest:
    """What SIGTERM, Ctrl-C and a terminal that is closed ask for, and how often they did."""

    def __init__(self) -> None:
        self.times = 0

    @property
    def made(self) -> bool:
        """Say whether anybody asked to stop."""
        return self.times > 0

    @property
    def urgent(self) -> bool:
        """Say whether somebody asked again."""
        return self.times > 1


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Take the signals that end a process as a request to stop while the block runs."""
    request = StopRequest()

    def note(_number: int, _frame: FrameType | None) -> None:
        request.times += 1

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Supervisor:
    """The processes it started; each has a session of its own, so that Ctrl-C reaches them in our order only."""

    def __init__(
        self,
        environ: Mapping[str, str],
        stop: StopRequest,
        *,
        log: IO[bytes] | None = None,
        stop_seconds: float = _STOP_SECONDS,
    ) -> None:
        """Start nothing yet.

        Args:
            environ: of the processes.
            stop: asked twice, it kills what has not ended yet.
            log: where they write; None: where this process does.
            stop_seconds: how long each may take to end.
        """
        path = os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH"))))
        self._environ = {**environ, "PYTHONPATH": path}
        self._stop = stop
        self._log = log
        self._stop_seconds = stop_seconds
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], *, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """Start one process; what is started last is stopped first."""
        process = subprocess.Popen(  # noqa: S603 - a program of this repository, with arguments from here
            command,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log if stdout is None else stdout,
            stderr=self._log,
            start_new_session=True,
        )
        self._processes[name] = process
        return process

    def dead(self) -> str | None:
        """Say which process has ended by itself, None when all run."""
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                return f"{name} ended by itself with code {code}"
        return None

    def wait(self) -> str | None:
        """Wait until someone asks to stop; return what went wrong when a process died before."""
        while not self._stop.made:
            if (problem := self.dead()) is not None:
                return problem
            time.sleep(_POLL_SECONDS)
        return None

    def stop(self) -> None:
        """End all processes, the last one first: each may finish what it does, but not for ever."""
        while self._processes:
            _, process = self._processes.popitem()
            process.terminate()
            deadline = time.monotonic() + self._stop_seconds
            while process.poll() is None:
                if self._stop.urgent or time.monotonic() > deadline:
                    process.kill()
                    process.wait()
                else:
                    time.sleep(_POLL_SECONDS)
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
