"""A simulator for all tests of this folder, and a site between it and the session's event store."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from tests.integration.graph.servers import Behaviour, Server
from tests.integration.relay.site import DATASET, OTHER, SHARING, MakeSite, Site


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator({DATASET: ["token-a", "token-c"], SHARING: "token-a", OTHER: "token-b"}) as running:
        yield running


@pytest.fixture
def meta(simulator: Simulator) -> Simulator:
    """Return the simulator, without faults and with an empty ledger."""
    simulator.faults()
    simulator.clear()
    return simulator


@pytest.fixture
def make_site(event_store: EmbeddedServer, meta: Simulator, tmp_path: Path) -> Iterator[MakeSite]:
    """Make a site with settings of its own, or with another Meta or another store than all the others."""
    sites: list[Site] = []

    def make(graph_url: str | None = None, store_url: str | None = None, **settings: str) -> Site:
        sites.append(Site(store_url or event_store.url, graph_url or meta.url, tmp_path, settings))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Server]]:
    """Run a Meta that behaves as a test says; return it."""
    servers: list[Server] = []

    def start(behave: Behaviour) -> Server:
        servers.append(Server(behave, None, reads=True))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.stopping.set()
        server.shutdown()
        server.server_close()
