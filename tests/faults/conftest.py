"""What the tests of single faults share: a simulator, and a site in this process on a store that a test may break."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.server import EmbeddedServer, free_port
from tests.fakes.simulator import Simulator
from tests.integration.graph.servers import Certificates
from tests.integration.relay.site import DATASET, OTHER, SHARING, Site

# A holder waits for a quarter of its lease until the store is back.
QUICK = {"CAPI_LEASE_SECONDS": "2", "CAPI_HTTP_TOTAL_SECONDS": "1"}


def port_of(server: EmbeddedServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator({DATASET: "token-a", SHARING: "token-a", OTHER: "token-b"}) as running:
        yield running


@pytest.fixture
def meta(simulator: Simulator) -> Simulator:
    """Return the simulator, without faults and with an empty ledger."""
    simulator.faults()
    simulator.clear()
    return simulator


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Run a store for one test on a port of its own, with its file."""
    with EmbeddedServer(tmp_path / "own", port=free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None and os.environ.get("CI") != "true":
        pytest.skip("openssl is not installed")
    return Certificates(tmp_path_factory.mktemp("certificates"))


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(own_store: EmbeddedServer, meta: Simulator, tmp_path: Path) -> Iterator[MakeSite]:
    """Make a site on this test's store and the simulator or on other URLs, with settings of its own."""
    sites: list[Site] = []

    def make(store_url: str | None = None, graph_url: str | None = None, **settings: str) -> Site:
        sites.append(Site(store_url or own_store.url, graph_url or meta.url, tmp_path, {**QUICK, **settings}))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()
