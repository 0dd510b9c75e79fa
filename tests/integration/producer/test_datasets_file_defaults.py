"""What a dataset's table in the datasets file does to its events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest

from capi_relay import Producer, keys
from capi_relay.errors import MisconfiguredError
from capi_relay.hashing import sha256_hex
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from tests.integration.producer.stored import Stored

LDU = "data_processing_options"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "datasets.toml"


@contextmanager
def producing(server: EmbeddedServer, path: Path, table: str, linger_seconds: float = 5) -> Iterator[Producer]:
    path.write_text(f'[[dataset]]\nid = "1001"\ntoken = "a-token"\n{table}')
    producer = Producer(
        server.url,
        default_dataset_id="1001",
        datasets_path=path,
        deadline_seconds=20,
        linger_seconds=linger_seconds,
    )
    try:
        yield producer
    finally:
        producer.close()


def test_limited_data_use_is_added_where_the_event_does_not_say_it(
    event_store: EmbeddedServer, path: Path, stored: Stored
) -> None:
    table = f'{LDU} = ["LDU"]\n{LDU}_country = 1\n{LDU}_state = 1000\n'
    with producing(event_store, path, table) as producer:
        producer.enqueue(purchase())
        producer.enqueue(purchase() | {LDU: []})
    first, second = stored.events()

    assert (first[LDU], first[f"{LDU}_country"], first[f"{LDU}_state"]) == (["LDU"], 1, 1000)
    assert (second[LDU], f"{LDU}_country" in second) == ([], False)


def test_an_explicit_no_to_limited_data_use_is_sent_too(
    event_store: EmbeddedServer, path: Path, stored: Stored
) -> None:
    with producing(event_store, path, f"{LDU} = []\n") as producer:
        producer.enqueue(purchase())

    assert stored.events()[0][LDU] == []


def test_events_are_spread_over_the_lanes_by_their_id(event_store: EmbeddedServer, path: Path, stored: Stored) -> None:
    ids = [f"order-{number}" for number in range(40)]
    with producing(event_store, path, "lanes = 4\n") as producer:
        producer.enqueue_many(purchase(event_id) for event_id in ids)

    assert stored.lanes() == {f"1001/{n}" for n in range(4)}
    for n in range(4):
        assert stored.ids(f"1001/{n}") == [event_id for event_id in ids if crc32(event_id.encode()) % 4 == n]


def test_a_phone_without_country_code_takes_the_datasets_country(
    event_store: EmbeddedServer, path: Path, stored: Stored
) -> None:
    with producing(event_store, path, 'default_country = "GB"\n') as producer:
        producer.enqueue(purchase(user_data={"ph": "020 7946 0018"}))

    assert stored.events()[0]["user_data"]["ph"] in (sha256_hex("442079460018"), [sha256_hex("442079460018")])


@pytest.mark.parametrize(("table", "linger_ms"), [("linger_seconds = 60\n", 60_000), ("", 7_000)])
def test_the_datasets_linger_comes_before_the_producers(
    event_store: EmbeddedServer, path: Path, stored: Stored, table: str, linger_ms: int
) -> None:
    with producing(event_store, path, table, linger_seconds=7) as producer:
        producer.enqueue(purchase())
    seconds, micros = stored.redis.time()
    due = stored.redis.zscore(keys.due(0), "1001/0") or 0

    assert linger_ms - 5_000 < due - (seconds * 1000 + micros // 1000) <= linger_ms


def test_a_wrong_file_is_refused_at_the_start(event_store: EmbeddedServer, path: Path) -> None:
    with (
        pytest.raises(MisconfiguredError, match="lanes"),
        producing(event_store, path, "lanes = 1000\n"),
    ):
        pass


def test_a_token_never_reaches_the_store(event_store: EmbeddedServer, path: Path, stored: Stored) -> None:
    with producing(event_store, path, "") as producer:
        producer.enqueue(purchase())

    assert b"a-token" not in stored.everything()
