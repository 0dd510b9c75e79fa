"""How a worker starts: it refuses settings that cannot work, and it needs no broker to deliver."""

import socket
from pathlib import Path

import pytest
import redis

from tests.fakes import events
from tests.fakes.relay import START_SECONDS, Relay, wait_until
from tests.fakes.server import EmbeddedServer, free_port
from tests.fakes.simulator import Simulator
from worker.store import Store

DATASET = "6001"
TOKENS = {DATASET: "token"}
UNUSED = "http://127.0.0.1:9"


def _exit_code(relay: Relay) -> int:
    return relay.start_worker(ready=False).wait(START_SECONDS)


def test_a_wrong_datasets_file_stops_the_worker_with_all_problems(tmp_path: Path) -> None:
    with Relay(tmp_path, UNUSED, TOKENS) as relay:
        relay.datasets.write_text('[[dataset]]\nid = 5\ntokn = "x"\n')
        code = _exit_code(relay)
        told = relay.log.read_text()

    assert code == 2
    assert "dataset 1: id:" in told
    assert "dataset 1: tokn:" in told
    assert "Traceback" not in told


def test_another_number_of_shards_than_the_stores_stops_the_worker(tmp_path: Path) -> None:
    with Relay(tmp_path, UNUSED, TOKENS, CAPI_SHARDS="3") as relay:
        store = Store(relay.server.url)
        assert store.shards == 1
        store.close()
        code = _exit_code(relay)
        told = relay.log.read_text()

    assert code == 2
    assert "CAPI_SHARDS is 3" in told


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_a_worker_that_starts_while_the_broker_is_away_delivers(tmp_path: Path, kind: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Simulator(TOKENS) as meta,
    ):
        port = silent.getsockname()[1] if kind == "silent" else free_port()
        with Relay(tmp_path, meta.url, TOKENS, CELERY_BROKER_URL=f"redis://127.0.0.1:{port}/0") as relay:
            producer = relay.producer()
            producer.enqueue(events.lead("early"), dataset_id=DATASET)
            producer.close()
            worker = relay.start_worker(ready=False)

            wait_until(lambda: len(meta.events()) == 1, "the event has arrived", seconds=START_SECONDS, every=0.2)
            wait_until(
                lambda: b"Cannot connect to" in relay.log.read_bytes(), "Celery waits for it", seconds=START_SECONDS
            )
            worker.terminate()
            assert worker.wait(START_SECONDS) == 0
            relay.command("reconcile")


def test_a_worker_that_a_full_broker_ends_again_and_again_delivers(tmp_path: Path) -> None:
    with Simulator(TOKENS) as meta, EmbeddedServer(tmp_path / "broker", appendonly=False) as broker:
        with redis.Redis.from_url(broker.url) as client:
            client.config_set("maxmemory", 1)
        with Relay(tmp_path, meta.url, TOKENS, CELERY_BROKER_URL=broker.url) as relay:
            producer = relay.producer()
            producer.enqueue(events.lead("early"), dataset_id=DATASET)
            producer.close()

            def arrived() -> bool:
                if not relay.workers or relay.workers[-1].poll() is not None:
                    relay.start_worker(ready=False)  # as its supervisor would
                return len(meta.events()) == 1

            wait_until(arrived, "the event has arrived", seconds=START_SECONDS, every=0.2)
