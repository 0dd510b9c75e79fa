"""Rows 30 to 35 of the fault matrix, on the wire: Meta took the batch, and its answer does not come as it was sent."""

from collections.abc import Iterator

import pytest

from tests.fakes.events import lead
from tests.fakes.fault_proxy import FaultProxy, How, fault_proxy
from tests.fakes.simulator import Simulator
from tests.faults.conftest import MakeSite
from tests.integration.relay.site import DATASET


@pytest.fixture
def proxy(simulator: Simulator) -> Iterator[FaultProxy]:
    with fault_proxy(int(simulator.url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("how", "times_taken"), [("drop", 2), ("cut", 2), ("half", 2), ("half_close", 2), ("corrupt", 2), ("refuse", 1)]
)
def test_an_answer_of_meta_that_does_not_come_whole_leaves_a_doubt_that_is_counted(
    how: How, times_taken: int, proxy: FaultProxy, make_site: MakeSite, meta: Simulator
) -> None:
    site = make_site(graph_url=f"http://127.0.0.1:{proxy.port}")
    site.enqueue_events([lead("a"), lead("b")])
    proxy.spoil(how)
    site.turn()
    stored = site.counts().stored
    site.hand.ripen()
    site.turn()

    assert (proxy.spoilt, stored, site.doors()) == (1, 2, {"delivered": 2})
    assert site.counter("possible_duplicates") == 2
    assert meta.ledger()["datasets"][DATASET]["events"] == 2 * times_taken


def test_an_answer_of_meta_that_comes_late_but_in_time_is_no_doubt(
    proxy: FaultProxy, make_site: MakeSite, meta: Simulator
) -> None:
    site = make_site(graph_url=f"http://127.0.0.1:{proxy.port}")
    site.enqueue_events([lead("a")])
    proxy.spoil("delay", seconds=0.3)
    site.turn()

    assert (proxy.spoilt, site.doors(), site.counter("possible_duplicates")) == (1, {"delivered": 1}, 0)
    assert meta.ledger()["duplicates"] == 0
