"""``metrics``: the whole installation's metrics, for Prometheus."""

import time
from functools import partial

import click
from prometheus_client import start_http_server

from worker.cli.console import err
from worker.cli.opening import opened_store
from worker.cli.supervisor import stop_request
from worker.hints import BROKER_OPTIONS
from worker.metrics.exposition import registry_of, text_of
from worker.metrics.reading import read
from worker.observability import configure_logging
from worker.runtime import open_store
from worker.settings import load

_PORT = 9108
_POLL_SECONDS = 0.1


@click.command(
    "metrics",
    short_help="Serve metrics to Prometheus.",
    epilog="Example: python -m worker metrics --once | promtool check metrics",
)
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--once", is_flag=True, help="Print them once and end, for tests and for textfile collectors.")
def command(*, port: int, host: str, once: bool) -> None:
    """Serve the metrics of the whole installation until Ctrl-C or SIGTERM; one such process is enough.

    They are read from the event store at each scrape. docs/metrics.md says what each of them means. They hold no event
    and no token; still, do not let strangers read them: they tell how much you sell.
    """
    settings = load()
    options = {**BROKER_OPTIONS, **settings.broker_options}
    if once:
        with opened_store(settings) as store:
            click.echo(text_of(registry_of(partial(read, store, settings.broker_url, options))), nl=False)
        return
    configure_logging(settings.log_format)
    store = open_store(settings, patient=False)  # a scrape has 10 s
    try:
        server, thread = start_http_server(port, host, registry_of(partial(read, store, settings.broker_url, options)))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None
    place = f"[{host}]" if ":" in host else host
    err().print(f"Metrics are served at http://{place}:{server.server_port}/metrics; Ctrl-C ends it.")
    with stop_request() as stop:
        while not stop.made:
            time.sleep(_POLL_SECONDS)
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()
