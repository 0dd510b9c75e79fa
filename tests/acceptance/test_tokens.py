from pathlib import Path

from tests.fakes.events import purchase
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator

DATASET = "4711"


def paused(relay: Relay, dataset_id: str = DATASET) -> str | None:
    found = relay.status()["datasets"].get(dataset_id, {}).get("paused")
    return str(found["reason"]) if found else None


def test_events_of_a_dataset_without_a_token_wait_for_it(tmp_path: Path) -> None:
    with Simulator({DATASET: "token"}) as meta, Relay(tmp_path, meta.url, {DATASET: ""}) as relay:
        relay.start_worker()
        relay.producer().enqueue(purchase(event_id="early"), dataset_id=DATASET)
        wait_until(lambda: paused(relay) == "no_token", "the dataset is paused", every=0.3)

        relay.write_datasets({DATASET: "token"})
        wait_until(lambda: len(meta.events(DATASET)) == 1, "the new token is seen without a restart", seconds=15)

        assert paused(relay) is None


def test_events_of_an_unknown_dataset_wait_until_it_is_configured(tmp_path: Path) -> None:
    with Simulator({DATASET: "token"}) as meta, Relay(tmp_path, meta.url, {"1": "other"}) as relay:
        relay.start_worker()
        relay.producer().enqueue(purchase(event_id="early"), dataset_id=DATASET)
        wait_until(lambda: paused(relay) == "no_token", "the dataset is paused", every=0.3)

        relay.write_datasets({"1": "other", DATASET: "token"})
        wait_until(lambda: len(meta.events(DATASET)) == 1, "it is delivered", seconds=15)

        relay.command("reconcile")


def test_a_new_token_ends_the_pause_that_a_revoked_one_began(tmp_path: Path) -> None:
    with Simulator({DATASET: "new"}) as meta, Relay(tmp_path, meta.url, {DATASET: "revoked"}) as relay:
        relay.start_worker()
        relay.producer().enqueue_many([purchase(event_id=str(n)) for n in range(50)], dataset_id=DATASET)
        wait_until(lambda: paused(relay) == "token", "the dataset is paused", every=0.3)

        relay.write_datasets({DATASET: "new"})
        wait_until(lambda: len(meta.events(DATASET)) == 50, "the new token is used", seconds=15)

        assert meta.ledger()["duplicates"] == 0
        assert relay.status()["datasets"][DATASET]["possible_duplicates"] == 0
