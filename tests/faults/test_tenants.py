"""Row 77 of the fault matrix: one tenant has nearly all the traffic."""

from tests.fakes.events import lead
from tests.fakes.simulator import Simulator
from tests.faults.conftest import MakeSite
from tests.integration.relay.site import DATASET, OTHER, SHARING

BATCHES = 40
BATCH_EVENTS = 25


def test_a_tenant_with_nearly_all_the_traffic_does_not_make_the_others_wait(
    make_site: MakeSite, meta: Simulator
) -> None:
    site = make_site(CAPI_BATCH_EVENTS=str(BATCH_EVENTS))
    site.enqueue_events([lead(f"whale-{n}") for n in range(BATCHES * BATCH_EVENTS)])
    for small in (SHARING, OTHER):
        site.enqueue_events([lead("small")], dataset_id=small)
    site.run_all()
    turns = {line["dataset"]: line["request"] for line in meta.events() if line["dataset"] != DATASET}

    assert meta.ledger()["requests"] == BATCHES + 2
    assert max(turns.values()) <= 5
