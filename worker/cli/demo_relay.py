"""A whole relay in a temporary directory, for the demo: event store, simulator, worker and beat."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from capi_relay.environment import MAX_SOCKET_PATH_BYTES, SOCKET_NAME
from worker.cli.supervisor import Supervisor, beat_command, stop_request, worker_command
from worker.embedded import EmbeddedServer
from worker.settings import Settings, load
from worker.store import DatasetCounts, Store

_START_SECONDS = 30.0
_POLL_SECONDS = 0.1
_LOG_LINES = 30
# Nothing of the surroundings may lead the demo to a real event store, a real dataset or a real Sentry.
_FOREIGN = ("CAPI_", "CELERY_", "SENTRY_", "FLOWER_")


@dataclass(frozen=True, slots=True)
class DemoRelay:
    """The running relay, and what the demo needs to know of it."""

    settings: Settings
    environ: Mapping[str, str]
    graph_url: str
    problem: Callable[[], str | None]
    """Says which process died, or that somebody asked to stop."""

    def ledger(self) -> dict[str, Any]:
        """Return the simulator's own account of what it took."""
        # No proxy of the surroundings: the simulator is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.graph_url}/_ledger", timeout=10) as answer:
            counts: dict[str, Any] = json.load(answer)
        return counts

    def wait_until_empty(self, store: Store, dataset_ids: list[str], seconds: float) -> list[DatasetCounts]:
        """Wait until all events have left; return the counts."""
        deadline = time.monotonic() + seconds
        while True:
            found = [store.admin.counts(each) for each in dataset_ids]
            waiting = sum(each.stored for each in found)
            if not waiting:
                return found
            if problem := self.problem():
                raise click.ClickException(problem)
            if time.monotonic() > deadline:
                raise click.ClickException(f"{waiting} events still wait after {seconds:g} s")
            time.sleep(_POLL_SECONDS)


@contextmanager
def demo_relay(tokens: Mapping[str, str]) -> Iterator[DemoRelay]:
    """Run a relay for these datasets; at a failure the end of its log is printed."""
    with (
        _short_directory() as directory,
        stop_request() as stop,
        (directory / "log.txt").open("w+b") as log,
        EmbeddedServer(directory / "store") as server,
    ):
        datasets = directory / "datasets.toml"
        tables = (f'[[dataset]]\nid = "{dataset_id}"\ntoken = "{token}"\n' for dataset_id, token in tokens.items())
        datasets.write_text("\n".join(tables))
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        try:
            with Supervisor(own, stop, log=log) as outside:
                graph_url = _start_simulator(outside, tokens)
                environ = {
                    **own,
                    "CAPI_REDIS_URL": server.url,
                    "CAPI_DATASETS": str(datasets),
                    "CAPI_GRAPH_URL": graph_url,
                    "CAPI_LINGER_SECONDS": "1",
                }
                with Supervisor(environ, stop, log=log) as relay:
                    relay.start("beat", beat_command())
                    relay.start("worker", worker_command())
                    yield DemoRelay(
                        load(environ),
                        environ,
                        graph_url,
                        lambda: relay.dead() or outside.dead() or ("interrupted" if stop.made else None),
                    )
        except Exception:
            if not stop.made:
                log.seek(0)
                tail = log.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
                click.echo("\n".join(["The end of the log:", *tail]), err=True)
            raise


def _start_simulator(processes: Supervisor, tokens: Mapping[str, str]) -> str:
    """Start the simulator and return its URL, which is what it says first."""
    options = (f"--dataset={dataset_id}={token}" for dataset_id, token in tokens.items())
    process = processes.start(
        "simulator", [sys.executable, "-m", "simulator", "--port", "0", *options], stdout=subprocess.PIPE
    )
    output = process.stdout
    assert output is not None  # noqa: S101 - it was asked for
    ready, _, _ = select.select([output], [], [], _START_SECONDS)
    words = output.readline().decode().split() if ready else []
    if not words:
        raise click.ClickException("the simulator did not start")
    return words[-1]


@contextmanager
def _short_directory() -> Iterator[Path]:
    """Make a temporary directory whose path is short enough for a socket."""
    longest = MAX_SOCKET_PATH_BYTES - len(f"/capi-12345678/store/{SOCKET_NAME}")
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > longest:
        parent = "/tmp"  # noqa: S108 - a directory of our own is made in it
    with tempfile.TemporaryDirectory(prefix="capi-", dir=parent) as made:
        yield Path(made)
