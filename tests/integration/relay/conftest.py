"""A simulator for all tests of this folder, and a site between it and the session's event store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
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
    """Make a site with settings of its own; graph_url: another Meta than the simulator."""
    sites: list[Site] = []

    def make(graph_url: str | None = None, **settings: str) -> Site:
        sites.append(Site(event_store.url, graph_url or meta.url, tmp_path, settings))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()
