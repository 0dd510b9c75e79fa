"""What enqueue stores, and what it says of it."""

import copy
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from capi_relay import InvalidEvent, Producer, event_id_for
from capi_relay.errors import MisconfiguredError
from capi_relay.personal import protect
from capi_relay.wire import encode
from tests.fakes.events import purchase, raw_purchase
from tests.integration.producer.stored import Stored


def test_the_stored_bytes_are_the_protected_event_encoded_once(producer: Producer, stored: Stored) -> None:
    event = raw_purchase(7)
    producer.enqueue(event)

    assert stored.encoded() == [encode(protect(event)[0])]


def test_nothing_raw_reaches_the_store(producer: Producer, stored: Stored) -> None:
    event = purchase(user_data={"em": "Jane.Roe@Example.com", "ph": "+1 202 555 0147", "fn": "Marguerite"})
    producer.enqueue(event | {"custom_data": event["custom_data"] | {"email": "jane.roe@example.com"}})
    everything = stored.everything().lower()

    assert b"order-1001" in everything
    assert [word for word in (b"jane", b"roe@", b"2025550147", b"5550147", b"marguerite") if word in everything] == []


def test_the_event_given_is_not_changed(producer: Producer) -> None:
    event = raw_purchase(7)
    before = copy.deepcopy(event)
    producer.enqueue(event)

    assert event == before


def test_a_receipt_names_the_event_id(producer: Producer, stored: Stored) -> None:
    receipt = producer.enqueue(purchase("order-5"))

    assert (receipt.event_id, receipt.status, receipt.warnings) == ("order-5", "accepted", ())
    assert stored.ids() == ["order-5"]


def test_a_missing_event_id_becomes_a_random_one(producer: Producer, stored: Stored) -> None:
    event = purchase()
    del event["event_id"]
    receipts = [producer.enqueue(event) for _ in range(2)]

    assert stored.ids() == [receipt.event_id for receipt in receipts]
    assert len(set(stored.ids())) == 2


def test_a_missing_event_time_becomes_now(producer: Producer, stored: Stored) -> None:
    event = purchase()
    del event["event_time"]
    before = int(time.time())
    producer.enqueue(event)

    assert before <= stored.events()[0]["event_time"] <= time.time()


def test_an_order_number_as_event_id_becomes_text(producer: Producer, stored: Stored) -> None:
    assert producer.enqueue(purchase() | {"event_id": 1001}).event_id == "1001"
    assert stored.ids() == ["1001"]


def test_a_null_at_the_top_is_left_out(producer: Producer, stored: Stored) -> None:
    producer.enqueue(purchase() | {"event_source_url": None, "opt_out": None})

    assert stored.events()[0].keys() & {"event_source_url", "opt_out"} == set()


def test_a_decimal_is_a_number(producer: Producer, stored: Stored) -> None:
    producer.enqueue(purchase(custom_data={"value": Decimal("19.90"), "currency": "EUR"}))

    assert b'"value":19.9,' in stored.encoded()[0]


def test_a_value_that_cannot_be_normalised_is_left_out_with_a_warning_that_stays_with_the_event(
    producer: Producer, stored: Stored
) -> None:
    event = purchase()
    event["user_data"] |= {"em": "no address"}
    receipt = producer.enqueue(event)

    assert "em" not in stored.events()[0]["user_data"]
    assert [warning.split(":")[0] for warning in receipt.warnings] == ["user_data.em"]
    assert stored.metas()[0]["w"] == list(receipt.warnings)
    assert "no address" not in json.dumps(stored.metas())


@pytest.mark.parametrize(
    "event",
    [
        purchase() | {"event_id": "\ud800"},
        purchase() | {"event_id": 10**5000},
        purchase() | {"custom_data": {"value": float("nan")}},
        purchase() | {"event_name": b"Purchase"},
        purchase() | {"custom_data": {"text": "x" * 70_000}},
        ["not", "a", "mapping"],
        None,
    ],
    ids=["lone surrogate", "endless number", "NaN", "bytes", "too large", "list", "None"],
)
@pytest.mark.parametrize("lanes", [1, 8])
def test_what_json_cannot_carry_is_refused_before_anything_is_stored(
    tmp_path: Any,  # noqa: ANN401 - pytest's
    event_store: Any,  # noqa: ANN401 - a server
    stored: Stored,
    event: Any,  # noqa: ANN401 - what no type allows
    lanes: int,
) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text(f'[[dataset]]\nid = "1001"\nlanes = {lanes}\n')
    producer = Producer(event_store.url, datasets_path=path, deadline_seconds=20)
    with pytest.raises(InvalidEvent):
        producer.enqueue(event, dataset_id="1001")

    assert stored.redis.dbsize() == 0


def test_an_absurd_time_is_the_workers_to_refuse(producer: Producer, stored: Stored) -> None:
    producer.enqueue(purchase(event_time=10**400))

    assert stored.events()[0]["event_time"] == 10**400


@pytest.mark.parametrize(
    ("changes", "lane"),
    [
        ({}, "1001/0"),
        ({"event_time": int(time.time()) - 3700}, "1001/late"),
        ({"action_source": "physical_store"}, "1001/store"),
        ({"action_source": "physical_store", "event_time": int(time.time()) - 3700}, "1001/store"),
    ],
)
def test_late_and_physical_store_events_have_lanes_of_their_own(
    producer: Producer, stored: Stored, changes: dict[str, Any], lane: str
) -> None:
    producer.enqueue(purchase() | changes)

    assert stored.lanes() == {lane}


def test_a_dataset_may_be_named_or_be_the_default(producer: Producer, stored: Stored) -> None:
    producer.enqueue(purchase("a"))
    producer.enqueue(purchase("b"), dataset_id="2002")

    assert (stored.ids(), stored.ids("2002/0")) == (["a"], ["b"])


@pytest.mark.parametrize("dataset_id", ["", None, "abc", "12/0", "1" * 33, 12, "１２"])
def test_a_dataset_id_that_is_none_is_refused(event_store: Any, dataset_id: Any) -> None:  # noqa: ANN401 - odd values
    with pytest.raises(MisconfiguredError, match="dataset"):
        Producer(event_store.url).enqueue(purchase(), dataset_id=dataset_id)


def test_event_id_for_is_the_same_each_time_and_tells_its_parts_apart() -> None:
    assert event_id_for("Purchase", 1001) == event_id_for("Purchase", "1001")
    assert len({event_id_for("Purchase", "1", "2"), event_id_for("Purchase", "12"), event_id_for("Lead", "12")}) == 3
