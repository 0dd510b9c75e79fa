"""Start the simulator: ``python -m simulator --port N``."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import click
from aiohttp import web

from simulator.faults import Faults
from simulator.ledger import Ledger
from simulator.server import Graph

# A stop need not wait for answers that are slow on purpose.
SHUTDOWN_SECONDS = 0.2


def _tokens_of(_context: click.Context, _parameter: click.Parameter, pairs: Collection[str]) -> dict[str, set[str]]:
    """Read the ``ID=TOKEN`` pairs; a dataset named twice takes both tokens."""
    tokens: defaultdict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        dataset, equals, token = pair.partition("=")
        if not (dataset.isdecimal() and equals and token):
            raise click.BadParameter("write a dataset as ID=TOKEN, the id in digits")
        tokens[dataset].add(token)
    return dict(tokens)


async def _serve(graph: Graph, host: str, port: int) -> None:
    """Serve until told to stop, having said where."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(graph.app(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        click.echo(f"simulator listening on http://{host}:{runner.addresses[0][1]}")
        await stopped.wait()
    finally:
        await runner.cleanup()


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--dataset",
    "tokens",
    multiple=True,
    metavar="ID=TOKEN",
    callback=_tokens_of,
    help="A dataset and its token; repeat for more. Without any, every dataset takes every token.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds the faults that have a probability.")
@click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the accepted events in this file too, and take up those it holds.",
)
def main(port: int, host: str, tokens: dict[str, set[str]], seed: int, ledger_path: Path | None) -> None:
    """Play Meta's Conversions API: take events, refuse what Meta would refuse, misbehave when asked to.

    POST events to /v23.0/DATASET/events. GET /_ledger tells what was taken, GET /_ledger/events each event;
    POST /_faults switches faults on.
    """
    ledger = Ledger(ledger_path)
    try:
        asyncio.run(_serve(Graph(tokens, Faults(seed), ledger), host, port))
    finally:
        ledger.close()


if __name__ == "__main__":
    main()
