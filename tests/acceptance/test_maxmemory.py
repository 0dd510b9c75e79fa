import os
import signal
from pathlib import Path

from capi_relay import Overloaded, Producer, Receipt
from tests.fakes.events import purchase
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator
from worker.store import Store

DATASET = "4711"


def fill(producer: Producer) -> int:
    """Enqueue until the store refuses; return how many were accepted."""
    accepted = 0
    for call in range(1000):
        events = [purchase(event_id=f"{call}-{number}") for number in range(500)]
        outcomes = producer.enqueue_many(events, dataset_id=DATASET)
        accepted += sum(isinstance(outcome, Receipt) for outcome in outcomes)
        if any(isinstance(outcome, Overloaded) for outcome in outcomes):
            return accepted
    raise AssertionError("the store was never full")


def test_a_full_store_refuses_producers_and_is_drained_and_takes_again(tmp_path: Path) -> None:
    with (
        Simulator({DATASET: "token"}) as meta,
        Relay(tmp_path, meta.url, {DATASET: "token"}, maxmemory="24mb") as relay,
    ):
        store = Store(relay.server.url)
        accepted = fill(relay.producer())

        relay.start_worker()
        wait_until(lambda: store.admin.counts(DATASET).stored == 0, "the store is drained")
        again = relay.producer().enqueue(purchase(event_id="after"), dataset_id=DATASET)
        wait_until(lambda: store.admin.counts(DATASET).stored == 0, "and takes and delivers again")

        assert again.status == "accepted"
        assert meta.ledger()["datasets"][DATASET] == {
            "events": accepted + 1,
            "distinct": accepted + 1,
            "requests": store.admin.counts(DATASET).counters["requests"],
        }
        relay.command("reconcile")


def test_a_server_at_maxmemory_itself_is_drained_though_the_broker_is_on_it(tmp_path: Path) -> None:
    """A worker that the full broker kills is started again, as its supervisor would: it then makes room first."""
    with (
        Simulator({DATASET: "token"}) as meta,
        Relay(tmp_path, meta.url, {DATASET: "token"}, maxmemory="24mb") as relay,
    ):
        store = Store(relay.server.url)
        relay.start_worker()
        meta.faults([{"dataset": DATASET, "kind": "status_500"}])
        accepted = fill(relay.producer())
        _squeeze(store)
        meta.faults()

        def drained() -> bool:
            if relay.workers[-1].poll() is not None:
                relay.start_worker(ready=False)
            return store.admin.counts(DATASET).stored == 0

        wait_until(drained, "the store is drained", seconds=90)

        assert meta.ledger()["datasets"][DATASET]["distinct"] == accepted
        relay.command("reconcile")
        wait_until(lambda: b" ready." in relay.log.read_bytes()[-20_000:], "the last worker is up")
        os.killpg(relay.workers[-1].pid, signal.SIGTERM)
        assert relay.workers[-1].wait(40) == 0


def _squeeze(store: Store) -> None:
    """Lower maxmemory below what is used, so that every ordinary write is refused."""
    connection = store._connection
    used = int(connection.command("INFO", "memory")["used_memory"])
    connection.command("CONFIG SET", "maxmemory", used - 2_000_000)
