"""Run the processes of one machine: start them, start again one that dies, stop them in the opposite order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from worker.leash import leashed

ROOT = Path(__file__).resolve().parents[2]
"""Where ``worker``, ``tasks`` and ``deploy`` lie."""
_STOP_SECONDS = 60.0  # a POST takes up to 30, Celery's own end up to 20
_POLL_SECONDS = 0.1
_MISUSE = 2  # the exit code of who refuses its settings: they are the same the next time
_STEADY_SECONDS = 60.0
"""What has run so long died of something new."""
_LONGEST_WAIT_SECONDS = 60.0

_CELERY = (sys.executable, "-m", "celery", "-A", "worker.app")


def worker_command() -> list[str]:
    """Return the worker's command line, as the Procfile has it."""
    return [sys.executable, "-m", "tasks"]


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


@dataclass(slots=True)
class _Child:
    """A process, and what is known of its deaths."""

    command: Sequence[str]
    process: subprocess.Popen[bytes]
    restarts: int | None
    started: float
    deaths: int = 0
    start_again_at: float | None = None


class Supervisor:
    """The processes it started; each has a session of its own, so that Ctrl-C reaches them in our order only."""

    def __init__(
        self,
        environ: Mapping[str, str],
        stop: StopRequest,
        *,
        log: IO[bytes] | None = None,
        stop_seconds: float = _STOP_SECONDS,
        say: Callable[[str], object] = str,
    ) -> None:
        """Start nothing yet.

        Args:
            environ: of the processes.
            stop: asked twice, it kills what has not ended yet.
            log: where they write; None: where this process does.
            stop_seconds: how long each may take to end.
            say: is told of each process that is started again.
        """
        path = os.pathsep.join(filter(None, (str(ROOT), environ.get("PYTHONPATH"))))
        self._environ = {**environ, "PYTHONPATH": path}
        self._stop = stop
        self._log = log
        self._stop_seconds = stop_seconds
        self._say = say
        self._children: dict[str, _Child] = {}

    def start(
        self, name: str, command: Sequence[str], *, stdout: int | None = None, restarts: int | None = 0
    ) -> subprocess.Popen[bytes]:
        """Start one process; what is started last is stopped first.

        Args:
            name: for people.
            command: its command line.
            stdout: where it writes, where that is not the log.
            restarts: how often in a row it is started again when it ends by itself; None: as often as it takes.
        """
        process = self._spawn(command, stdout)
        self._children[name] = _Child(command, process, restarts, time.monotonic())
        return process

    def _spawn(self, command: Sequence[str], stdout: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a program of this repository, with arguments from here
            leashed(command),
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log if stdout is None else stdout,
            stderr=self._log,
            start_new_session=True,
        )

    def dead(self) -> str | None:
        """Say which process has ended by itself for good, None when all run or are started again."""
        for name, child in self._children.items():
            code = child.process.poll()
            if code is None:
                continue
            now = time.monotonic()
            if child.start_again_at is None:
                child.deaths = 1 if now - child.started > _STEADY_SECONDS else child.deaths + 1
                if child.restarts is not None and (code == _MISUSE or child.deaths > child.restarts):
                    return f"{name} ended by itself with code {code}"
                wait_seconds = min(2.0 ** (child.deaths - 1), _LONGEST_WAIT_SECONDS)
                child.start_again_at = now + wait_seconds
                self._say(f"{name} ended by itself with code {code}; it is started again in {wait_seconds:g} s.")
            elif now >= child.start_again_at:
                child.process, child.started, child.start_again_at = self._spawn(child.command), now, None
        return None

    def wait(self, also: Callable[[], str | None] = lambda: None) -> str | None:
        """Wait until someone asks to stop; return what went wrong when a process died before, or ``also`` says so."""
        while not self._stop.made:
            if (problem := self.dead() or also()) is not None:
                return problem
            time.sleep(_POLL_SECONDS)
        return None

    def stop(self) -> None:
        """End all processes, the last one first: each may finish what it does, but not for ever."""
        while self._children:
            process = self._children.popitem()[1].process
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
