import time
from pathlib import Path

import pytest

from capi_relay import Producer
from tests.fakes.events import purchase
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator

LINGER_SECONDS = 0.5
PROMISED_SECONDS = 2.0
HEALTHY = "1000"


def delays_of_the_healthy(producer: Producer, meta: Simulator, events: int) -> list[float]:
    """Enqueue events of the healthy dataset one by one; return for each how long after its linger it arrived."""
    sent = {}
    for number in range(events):
        name = f"healthy-{number}"
        sent[name] = time.time()
        producer.enqueue(purchase(event_id=name), dataset_id=HEALTHY)
        wait_until(lambda: time.time() > sent[name] + 0.4, "the next customer comes")  # noqa: B023 - called here only
    wait_until(lambda: len(meta.events(HEALTHY)) == events, "all of the healthy dataset is there", every=0.2)
    return [row["at"] - sent[row["event_id"]] - LINGER_SECONDS for row in meta.events(HEALTHY)]


@pytest.fixture
def tokens() -> dict[str, str]:
    return {HEALTHY: "good", "2000": "revoked", "3000": "failing", **{str(4000 + n): "slow" for n in range(10)}}


def test_a_revoked_token_and_a_failing_dataset_do_not_delay_a_third(tmp_path: Path, tokens: dict[str, str]) -> None:
    with Simulator(tokens) as meta, Relay(tmp_path, meta.url, tokens) as relay:
        meta.faults([{"dataset": "2000", "kind": "token_revoked"}, {"dataset": "3000", "kind": "status_500"}])
        producer = relay.producer()
        relay.start_worker()
        for dataset_id in ("2000", "3000"):
            producer.enqueue_many([purchase(event_id=str(n)) for n in range(5000)], dataset_id=dataset_id)

        delays = delays_of_the_healthy(producer, meta, 25)
        status = relay.status()["datasets"]

        assert max(delays) < PROMISED_SECONDS
        assert status["2000"]["paused"]["reason"] == "token"
        assert status["2000"]["waiting"] == status["3000"]["waiting"] + status["3000"]["in_flight"] == 5000
        assert meta.ledger()["datasets"]["2000"]["requests"] == 1


def test_ten_datasets_that_answer_after_ten_seconds_do_not_keep_a_healthy_one_waiting(
    tmp_path: Path, tokens: dict[str, str]
) -> None:
    with Simulator(tokens) as meta, Relay(tmp_path, meta.url, tokens) as relay:
        slow = [str(4000 + n) for n in range(10)]
        meta.faults([{"dataset": dataset_id, "kind": "slow", "seconds": 10} for dataset_id in slow])
        producer = relay.producer()
        relay.start_worker()
        for dataset_id in slow:
            producer.enqueue_many([purchase(event_id=str(n)) for n in range(2000)], dataset_id=dataset_id)

        delays = delays_of_the_healthy(producer, meta, 25)

        assert max(delays) < PROMISED_SECONDS
