"""The event store restarts while a request is on its way: what Meta took is settled, and not sent again."""

import threading
import time
from pathlib import Path

from capi_relay import Producer
from tests.fakes import events
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from worker.batch import Tally
from worker.runtime import build
from worker.settings import load
from worker.shutdown import Shutdown

DATASET = "4711"
AWAY_SECONDS = 2.0


def test_a_batch_that_was_delivered_while_redis_was_away_is_settled_when_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "store")
    with Simulator({DATASET: "token"}) as meta:
        server.start()
        env = {"CAPI_DATASET_ID": DATASET, "CAPI_ACCESS_TOKEN": "token", "CAPI_LINGER_SECONDS": "0"}
        runtime = build(load({**env, "CAPI_REDIS_URL": server.url, "CAPI_GRAPH_URL": meta.url}), Shutdown())
        producer = Producer(server.url, linger_seconds=0)
        producer.enqueue(events.lead("first"), dataset_id=DATASET)
        meta.faults([{"dataset": DATASET, "kind": "slow", "seconds": 2}])

        def restart() -> None:
            time.sleep(1)  # the mark is written, and the POST waits for its answer
            server.stop()
            time.sleep(1 + AWAY_SECONDS)
            server.start()

        restarting = threading.Thread(target=restart)
        lease = runtime.store.lanes.claim(runtime.store.lanes.look(), max_events=10, max_bytes=100_000)
        restarting.start()
        try:
            assert lease is not None
            runtime.pump._relay.run(lease, Tally())
        finally:
            restarting.join()
        counts = runtime.store.admin.counts(DATASET)
        producer.close()
        runtime.store.close()
    server.stop()

    assert (counts.stored, counts.doors["delivered"], counts.unaccounted) == (0, 1, 0)
    assert counts.counters.get("possible_duplicates", 0) == 0
