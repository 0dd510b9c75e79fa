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
PROVOKED = {"dataset": DATASET, "kind": "poison", "event_id_prefix": "bad", "code": 2, "status": 500}


@pytest.fixture
def meta() -> Iterator[Simulator]:
    with Simulator({DATASET: "token"}) as simulator:
        yield simulator


@pytest.fixture
def runtime(tmp_path: Path, meta: Simulator) -> Iterator[Runtime]:
    with EmbeddedServer(tmp_path / "store") as server:
        env = {"CAPI_DATASET_ID": DATASET, "CAPI_ACCESS_TOKEN": "token", "CAPI_PUMP_SECONDS": "0"}
        env |= {"CAPI_REDIS_URL": server.url, "CAPI_GRAPH_URL": meta.url, "CAPI_LINGER_SECONDS": "0"}
        yield build(load(env), Shutdown())


def enqueue(runtime: Runtime, bad: tuple[int, ...], count: int = 300) -> None:
    producer = Producer(runtime.settings.redis_url, linger_seconds=0)
    producer.enqueue_many(
        [purchase(event_id=f"{'bad' if number in bad else 'good'}-{number}") for number in range(count)],
        dataset_id=DATASET,
    )


def turn(runtime: Runtime, tally: Tally) -> None:
    """Let the lane have its next turn now, whatever it waits for."""
    store = runtime.store
    store._connection.command("ZREM", keys.due(0), LANE)
    store._connection.command("ZADD", keys.held(0), 0, LANE)
    lease = store.lanes.claim(store.lanes.look(), max_events=1000, max_bytes=2_000_000)
    if lease is not None:
        runtime.pump._relay.run(lease, tally)


@pytest.mark.parametrize("bad", [(0,), (299,), (7, 150, 298)])
def test_events_that_alone_provoke_a_500_are_found_and_the_others_are_delivered(
    runtime: Runtime, meta: Simulator, bad: tuple[int, ...]
) -> None:
    enqueue(runtime, bad)
    meta.faults([PROVOKED])
    tally = Tally()

    for _ in range(30):
        turn(runtime, tally)
    counts = runtime.store.admin.counts(DATASET)

    assert (counts.doors["delivered"], counts.doors["rejected"], counts.stored) == (300 - len(bad), len(bad), 0)
    assert counts.unaccounted == 0
    assert meta.ledger()["duplicates"] <= counts.counters.get("possible_duplicates", 0)


def test_a_500_that_hits_all_makes_no_dead_letter_and_few_requests(runtime: Runtime, meta: Simulator) -> None:
    enqueue(runtime, ())
    meta.faults([{"dataset": DATASET, "kind": "status_500"}])
    tally = Tally()

    for _ in range(20):
        turn(runtime, tally)
    counts = runtime.store.admin.counts(DATASET)

    assert (counts.stored, counts.dead_letters) == (300, 0)
    assert tally.requests <= 5 + 15 * 4


def test_what_is_delivered_between_failures_begins_the_tries_anew(runtime: Runtime, meta: Simulator) -> None:
    enqueue(runtime, (), count=3)
    meta.faults([{"dataset": DATASET, "kind": "status_500", "times": 4}])
    tally = Tally()
    for _ in range(5):
        turn(runtime, tally)
    enqueue(runtime, (), count=3)
    look = runtime.store.lanes.look()

    lease = runtime.store.lanes.claim(look, max_events=10, max_bytes=10_000)

    assert lease is not None
    assert lease.tries == 0
