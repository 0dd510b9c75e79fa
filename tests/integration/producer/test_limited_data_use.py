"""A dataset that asks for Limited Data Use has it in the stored body of its events, and so in what Meta gets."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from capi_relay import Producer, keys
from schemas import problems_of
from simulator.rules import first_error
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer

DATASET = "4711"
OTHER = "4712"
LDU = """
data_processing_options = ["LDU"]
data_processing_options_country = 1
data_processing_options_state = 1000
"""
NAMES = ("data_processing_options", "data_processing_options_country", "data_processing_options_state")


@pytest.fixture
def datasets(tmp_path: Path) -> Path:
    path = tmp_path / "datasets.toml"
    path.write_text(f'[[dataset]]\nid = "{DATASET}"\n{LDU}\n[[dataset]]\nid = "{OTHER}"\n')
    return path


def stored_body(server: EmbeddedServer, datasets: Path, event: dict[str, Any], dataset_id: str) -> dict[str, Any]:
    """Enqueue one event and return what waits in its lane."""
    producer = Producer(server.url, datasets_path=datasets, deadline_seconds=5)
    producer.enqueue(event, dataset_id=dataset_id)
    producer.close()
    with redis.Redis.from_url(server.url, protocol=2) as client:
        ((_, fields),) = client.xrange(keys.stream(0, f"{dataset_id}/0"))
    body: dict[str, Any] = json.loads(fields[b"e"])
    return body


def options_of(event: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(event.get(name, "absent") for name in NAMES)


def test_an_event_of_such_a_dataset_carries_it(event_store: EmbeddedServer, datasets: Path) -> None:
    body = stored_body(event_store, datasets, purchase(), DATASET)

    assert options_of(body) == (["LDU"], 1, 1000)
    assert problems_of(body) == []
    assert first_error([body], body["event_time"]) is None


def test_an_event_of_another_dataset_does_not(event_store: EmbeddedServer, datasets: Path) -> None:
    body = stored_body(event_store, datasets, purchase(), OTHER)

    assert options_of(body) == ("absent", "absent", "absent")


def test_what_the_event_says_itself_holds(event_store: EmbeddedServer, datasets: Path) -> None:
    body = stored_body(event_store, datasets, purchase(data_processing_options=[]), DATASET)

    assert options_of(body) == ([], "absent", "absent")


def test_an_event_may_ask_for_it_where_its_dataset_does_not(event_store: EmbeddedServer, datasets: Path) -> None:
    asked: dict[str, Any] = dict(zip(NAMES, (["LDU"], 0, 0), strict=True))
    body = stored_body(event_store, datasets, purchase(**asked), OTHER)

    assert options_of(body) == (["LDU"], 0, 0)


def test_an_option_that_is_null_is_not_said(event_store: EmbeddedServer, datasets: Path) -> None:
    body = stored_body(event_store, datasets, purchase(data_processing_options=None), DATASET)

    assert options_of(body) == (["LDU"], 1, 1000)
