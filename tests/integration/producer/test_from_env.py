"""A producer made from the environment."""

from contextlib import closing
from pathlib import Path

import pytest

from capi_relay import Producer, keys
from capi_relay.errors import MisconfiguredError
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from tests.integration.producer.stored import Stored


def test_it_finds_store_dataset_and_datasets_file(
    event_store: EmbeddedServer, tmp_path: Path, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text('[[dataset]]\nid = "1001"\ndata_processing_options = []\n')
    monkeypatch.setenv("CAPI_REDIS_URL", event_store.url)
    monkeypatch.setenv("CAPI_DATASET_ID", "1001")
    monkeypatch.setenv("CAPI_DATASETS", str(path))
    with closing(Producer.from_env()) as producer:
        producer.enqueue(purchase())

    assert stored.events()[0]["data_processing_options"] == []


def test_linger_batch_size_and_freshness_are_read_as_the_worker_reads_them(
    event_store: EmbeddedServer, stored: Stored
) -> None:
    env = {
        "CAPI_REDIS_URL": event_store.url,
        "CAPI_DATASET_ID": "1001",
        "CAPI_LINGER_SECONDS": "600",
        "CAPI_BATCH_EVENTS": "2",
        "CAPI_FRESHNESS_SECONDS": "60",
    }
    old = purchase()
    old["event_time"] -= 120
    with closing(Producer.from_env(env)) as producer:
        producer.enqueue_many([purchase("a"), purchase("b"), old])
    seconds, micros = stored.redis.time()
    now_ms = seconds * 1000 + micros // 1000
    due = {lane: stored.redis.zscore(keys.due(0), lane) or 0 for lane in ("1001/0", "1001/late")}

    assert due["1001/0"] <= now_ms
    assert due["1001/late"] > now_ms + 500_000


def test_shards_are_read_too(event_store: EmbeddedServer, stored: Stored) -> None:
    with closing(Producer.from_env({"CAPI_REDIS_URL": event_store.url, "CAPI_SHARDS": "4"})) as producer:
        producer.enqueue(purchase(), dataset_id="1")

    assert stored.redis.get(keys.SHARDS) == b"4"


@pytest.mark.parametrize("value", ["0", "2.5", "4097", "1" * 5000, "four"])
def test_a_number_of_shards_that_no_worker_takes_is_refused_at_the_start(value: str) -> None:
    with pytest.raises(MisconfiguredError, match=r"^CAPI_SHARDS must be a whole number from 1 to 4096$"):
        Producer.from_env({"CAPI_REDIS_URL": "redis://127.0.0.1:1/0", "CAPI_SHARDS": value})


@pytest.mark.parametrize("name", ["CAPI_LINGER_SECONDS", "CAPI_BATCH_EVENTS", "CAPI_FRESHNESS_SECONDS", "CAPI_SHARDS"])
@pytest.mark.parametrize("value", ["soon", "nan", "inf", "-1"])
def test_what_is_no_number_of_use_is_refused_at_the_start(name: str, value: str) -> None:
    with pytest.raises(MisconfiguredError, match=name):
        Producer.from_env({"CAPI_REDIS_URL": "redis://127.0.0.1:1/0", name: value})
