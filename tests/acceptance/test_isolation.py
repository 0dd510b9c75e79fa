"""What happens to one tenant's requests is not felt by another's."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capi_relay import Producer
from tests.acceptance.site import running_site
from tests.fakes.events import purchase
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator

LINGER_SECONDS = 0.5
PROMISED_SECONDS = 2.0
HEALTHY = "1000"


def delays(producer: Producer, meta: Simulator, dataset_ids: Sequence[str]) -> list[float]:
    """Enqueue an event for each of these, one after the other; return how long after its linger each arrived."""
    sent = {}
    for number, dataset_id in enumerate(dataset_ids):
        name = f"healthy-{number}"
        sent[name] = time.time()
        producer.enqueue(purchase(event_id=name), dataset_id=dataset_id)
        wait_until(lambda: time.time() > sent[name] + 0.4, "the next customer comes")  # noqa: B023 - called here only

    def arrived() -> list[dict[str, Any]]:
        return [row for dataset_id in set(dataset_ids) for row in meta.events(dataset_id) if row["event_id"] in sent]

    wait_until(lambda: len(arrived()) == len(sent), "all of the healthy datasets is there", every=0.2)
    return [row["at"] - sent[row["event_id"]] - LINGER_SECONDS for row in arrived()]


def test_a_revoked_token_and_a_failing_dataset_do_not_delay_a_third(tmp_path: Path) -> None:
    tokens = {HEALTHY: "good", "2000": "revoked", "3000": "failing"}
    with Simulator(tokens) as meta, Relay(tmp_path, meta.url, tokens) as relay:
        meta.faults([{"dataset": "2000", "kind": "token_revoked"}, {"dataset": "3000", "kind": "status_500"}])
        producer = relay.producer()
        relay.start_worker()
        for dataset_id in ("2000", "3000"):
            producer.enqueue_many([purchase(event_id=str(n)) for n in range(5000)], dataset_id=dataset_id)

        late = max(delays(producer, meta, [HEALTHY] * 25))
        status = relay.status()["datasets"]

        assert late < PROMISED_SECONDS
        assert status["2000"]["paused"]["reason"] == "token"
        assert status["2000"]["waiting"] == status["3000"]["waiting"] + status["3000"]["in_flight"] == 5000
        assert meta.ledger()["datasets"]["2000"]["requests"] == 1


def test_a_hundred_datasets_that_answer_after_ten_seconds_do_not_keep_a_healthy_one_waiting(tmp_path: Path) -> None:
    slow = [str(4000 + n) for n in range(100)]
    tokens = {HEALTHY: "good", **dict.fromkeys(slow, "slow")}
    with Simulator(tokens) as meta, Relay(tmp_path, meta.url, tokens) as relay:
        meta.faults([{"dataset": dataset_id, "kind": "slow", "seconds": 10} for dataset_id in slow])
        producer = relay.producer()
        relay.start_worker()
        producer.enqueue(purchase(event_id="the-first"), dataset_id=HEALTHY)
        for dataset_id in slow:
            producer.enqueue_many([purchase(event_id=str(n)) for n in range(20)], dataset_id=dataset_id)

        assert max(delays(producer, meta, [HEALTHY] * 60)) < PROMISED_SECONDS
        assert len(meta.ledger()["datasets"]) > 12  # the slow ones are served beside it


def test_new_datasets_and_a_new_worker_do_not_wait_behind_those_that_are_known_to_be_slow(tmp_path: Path) -> None:
    slow, new = [str(4000 + n) for n in range(24)], [str(5000 + n) for n in range(10)]
    tokens = {**dict.fromkeys(new, "good"), **dict.fromkeys(slow, "slow")}
    with running_site(tmp_path, tokens, CAPI_BATCH_EVENTS="10") as site:
        site.meta.faults([{"dataset": dataset_id, "kind": "slow", "seconds": 4} for dataset_id in slow])
        worker = site.relay.start_worker()
        for dataset_id in slow:
            site.accept([purchase(event_id=str(n)) for n in range(200)], dataset_id)
        wait_until(
            lambda: all("delivered" in site.store.admin.counts(dataset_id).counters for dataset_id in slow),
            "all slow ones have answered",
        )

        assert max(delays(site.producer, site.meta, new[:5])) < PROMISED_SECONDS
        wait_until(lambda: site.store.slow.ids() == slow, "the next process can know them")
        worker.terminate()
        worker.wait(30)
        site.relay.start_worker()
        assert max(delays(site.producer, site.meta, new[5:])) < PROMISED_SECONDS
