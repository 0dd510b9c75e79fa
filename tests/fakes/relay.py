"""A whole relay for acceptance tests: a real store, a real worker process, told where the simulator is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from capi_relay import Producer
from tests.fakes.server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40


def wait_until(true: Callable[[], bool], what: str, *, seconds: float = 60, every: float = 0.05) -> None:
    """Poll until something is true; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


class Relay:
    """One installation in a directory: store, datasets file, and workers that are started and stopped at will."""

    def __init__(
        self,
        folder: Path,
        graph_url: str,
        tokens: Mapping[str, str],
        *,
        maxmemory: str | None = None,
        port: int | None = None,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.server = EmbeddedServer(folder / "store", maxmemory=maxmemory, port=port)
        self.datasets = folder / "datasets.toml"
        self.write_datasets(tokens)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CAPI_", "SENTRY", "FLOWER"))},
            "CAPI_REDIS_URL": self.server.url,
            "CAPI_DATASETS": str(self.datasets),
            "CAPI_GRAPH_URL": graph_url,
            "CAPI_LINGER_SECONDS": "0.5",
            "CAPI_LOG_FORMAT": "json",
            **settings,
        }

    def write_datasets(self, tokens: Mapping[str, str]) -> None:
        """Write the datasets file anew; an empty token is left out."""
        tables = [
            f'[[dataset]]\nid = "{name}"\n' + (f'token = "{token}"\n' if token else "")
            for name, token in tokens.items()
        ]
        self.datasets.write_text("\n".join(tables))

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
        self.server.stop()

    @property
    def log(self) -> Path:
        """Where the workers write."""
        return self.folder / "worker.log"

    def start_worker(self, *, concurrency: int = 16, ready: bool = True, **settings: str) -> subprocess.Popen[bytes]:
        """Start one worker process in a process group of its own."""
        with self.log.open("ab") as log:
            before = log.tell()
            worker = subprocess.Popen(
                [sys.executable, "-m", "tasks", "--hostname", f"w{len(self.workers)}-{os.getpid()}@test"],
                cwd=ROOT,
                env={**self.env, "CAPI_CONCURRENCY": str(concurrency), **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        if ready:
            wait_until(
                lambda: b" ready." in self.log.read_bytes()[before:] or worker.poll() is not None,
                "the worker is ready",
                seconds=START_SECONDS,
            )
            assert worker.poll() is None, self.log.read_text()[-3000:]
        return worker

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start Celery beat."""
        with self.log.open("ab") as log:
            beat = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "worker.app", "beat", "--loglevel", "WARNING"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(beat)
        return beat

    def producer(self) -> Producer:
        """Return a producer for this installation."""
        return Producer(self.server.url, datasets_path=self.datasets, linger_seconds=0.5)

    def command(self, *words: str, timeout: float = 120, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run ``python -m worker ...`` and check its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "worker", *words],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert code is None or done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done

    def status(self) -> dict[str, Any]:
        """Return ``status --json``."""
        found: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return found
