"""``up``: all processes on one machine, with an event store of its own where none is named."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from capi_relay.environment import EMBEDDED_DIRECTORY
from worker.cli.console import err
from worker.cli.opening import opened_store
from worker.cli.supervisor import Supervisor, beat_command, flower_command, stop_request, worker_command
from worker.datasets import Datasets
from worker.embedded import EmbeddedServer
from worker.settings import load


@click.command(
    "up",
    short_help="Run everything on this machine.",
    epilog="Example: CAPI_DATASETS=datasets.toml python -m worker up",
)
def command() -> None:
    """Run everything on this machine until Ctrl-C or SIGTERM: event store, worker, beat and Flower.

    The event store is embedded, its data under .capi in the current directory, unless CAPI_REDIS_URL names one. Flower
    runs only with FLOWER_BASIC_AUTH. At the end the worker finishes the requests it is at; asked a second time it is
    killed, and the events of those requests are sent again later.
    """
    settings = load()
    Datasets(settings)  # what is wrong with it is told before anything starts
    say = err().print
    with stop_request() as stop, _store(embedded=settings.embedded) as environ:
        with opened_store(load(environ)):
            pass
        with Supervisor(environ, stop) as processes:
            if os.environ.get("FLOWER_BASIC_AUTH") or os.environ.get("FLOWER_BASIC_AUTH_FILE"):
                processes.start("flower", flower_command())
            processes.start("beat", beat_command())
            processes.start("worker", worker_command(environ))
            say("capi-relay runs; Ctrl-C ends it.")
            problem = processes.wait()
            say(f"Stopping everything: {problem}." if problem else "Stopping: the worker finishes what it is at.")
    if problem:
        raise SystemExit(1)


@contextmanager
def _store(*, embedded: bool) -> Iterator[Mapping[str, str]]:
    """Run the embedded store where it is wanted, and yield the environment of the processes that use it."""
    if not embedded:
        yield os.environ
        return
    with EmbeddedServer(Path.cwd() / EMBEDDED_DIRECTORY) as server:
        err().print(f"The embedded event store is at {server.directory}.")
        yield {**os.environ, "CAPI_REDIS_URL": server.url}
