"""``up``: all processes on one machine, with an event store of its own where none is named."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from capi_relay.environment import EMBEDDED_DIRECTORY
from capi_relay.errors import MisconfiguredError
from worker.cli.console import err
from worker.cli.opening import opened_store
from worker.cli.supervisor import Supervisor, beat_command, flower_command, stop_request, worker_command
from worker.datasets import Datasets
from worker.embedded import EmbeddedServer
from worker.errors import StoreUnavailable
from worker.settings import load

_RESTARTS = 5
"""How often in a row a worker, and in all an embedded store, may die before everything ends."""


@click.command(
    "up",
    short_help="Run everything on this machine.",
    epilog="Example: CAPI_DATASETS=datasets.toml python -m worker up",
)
def command() -> None:
    """Run everything on this machine until Ctrl-C or SIGTERM: event store, worker, beat and Flower.

    The event store is embedded, its data under .capi in the current directory, unless CAPI_REDIS_URL names one. Flower
    runs only with FLOWER_BASIC_AUTH. At the end the worker finishes the requests it is at; asked a second time it is
    killed, and the events of those requests are sent again later. A process that dies is started again; all ends, with
    exit code 1, when the worker or the embedded store dies again and again.
    """
    settings = load()
    Datasets(settings)  # what is wrong with it is told before anything starts
    say = err().print
    with stop_request() as stop, _store(embedded=settings.embedded) as (environ, keep):
        with opened_store(load(environ)):
            pass
        with Supervisor(environ, stop, say=say) as processes:
            if os.environ.get("FLOWER_BASIC_AUTH") or os.environ.get("FLOWER_BASIC_AUTH_FILE"):
                processes.start("flower", flower_command(), restarts=None)
            processes.start("beat", beat_command(), restarts=None)
            processes.start("worker", worker_command(), restarts=_RESTARTS)
            say("capi-relay runs; Ctrl-C ends it.")
            problem = processes.wait(keep)
            say(f"Stopping everything: {problem}." if problem else "Stopping: the worker finishes what it is at.")
    if problem:
        raise SystemExit(1)


@contextmanager
def _store(*, embedded: bool) -> Iterator[tuple[Mapping[str, str], Callable[[], str | None]]]:
    """Run the embedded store where it is wanted; yield the environment of its users, and what keeps it running."""
    if not embedded:
        yield os.environ, lambda: None
        return
    with EmbeddedServer(Path.cwd() / EMBEDDED_DIRECTORY) as server:
        err().print(f"The embedded event store is at {server.directory}.")
        err().print(f"For an app in another folder: export CAPI_REDIS_URL={server.url}", soft_wrap=True)  # to be copied
        yield {**os.environ, "CAPI_REDIS_URL": server.url}, _Keeper(server)


class _Keeper:
    """Starts the embedded store again when it has died; says what is wrong when that does not help."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._deaths = 0

    def __call__(self) -> str | None:
        """Look once."""
        if not self._server.ended:
            return None
        self._deaths += 1
        if self._deaths > _RESTARTS:
            return "the embedded event store dies again and again"
        err().print("The embedded event store ended by itself; it is started again.")
        try:
            self._server.start()
        except (StoreUnavailable, MisconfiguredError) as error:
            return f"the embedded event store does not start again: {error}"
        return None
