"""A dataset that asked for at-most-once: nothing that may have been delivered is sent again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capi_relay import Producer, keys
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from worker.batch import Tally
from worker.runtime import Runtime, build
from worker.settings import load
from worker.shutdown import Shutdown

DATASET = "4711"
LANE = f"{DATASET}/0"
EVENTS = 20
MANY_TRIES = 7


@pytest.fixture
def meta() -> Iterator[Simulator]:
    with Simulator({DATASET: "token"}) as simulator:
        yield simulator


@pytest.fixture
def runtime(tmp_path: Path, event_store: EmbeddedServer, meta: Simulator) -> Iterator[Runtime]:
    datasets = tmp_path / "datasets.toml"
    datasets.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "token"\non_in_doubt = "hold"\n')
    env = {"CAPI_DATASETS": str(datasets), "CAPI_PUMP_SECONDS": "0", "CAPI_LINGER_SECONDS": "0"}
    made = build(load({**env, "CAPI_REDIS_URL": event_store.url, "CAPI_GRAPH_URL": meta.url}), Shutdown())
    yield made
    made.store.close()


def test_a_batch_in_doubt_is_held_and_not_probed_after_many_failures(runtime: Runtime, meta: Simulator) -> None:
    producer = Producer(runtime.settings.redis_url, linger_seconds=0)
    producer.enqueue_many([purchase(event_id=str(number)) for number in range(EVENTS)], dataset_id=DATASET)
    producer.close()
    runtime.store._connection.command("HSET", keys.state(0, LANE), "tries", MANY_TRIES)
    meta.faults([{"dataset": DATASET, "kind": "status_500"}])
    tally = Tally()

    for _ in range(2):
        runtime.store._connection.command("ZADD", keys.held(0), "XX", 0, LANE)
        lease = runtime.store.lanes.claim(runtime.store.lanes.look(), max_events=1000, max_bytes=2_000_000)
        assert lease is not None
        runtime.pump._relay.run(lease, tally)
    counts = runtime.store.admin.counts(DATASET)

    assert tally.requests == 1
    assert (counts.doors["parked"], counts.stored, counts.unaccounted) == (EVENTS, 0, 0)
    assert counts.counters.get("possible_duplicates", 0) == 0
