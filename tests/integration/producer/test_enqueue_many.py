"""Many events in one call: an outcome each, in order, in as few script calls as the store can bear."""

from contextlib import closing

import pytest

from capi_relay import InvalidEvent, Overloaded, Producer, Receipt
from capi_relay.errors import LaneFull
from tests.fakes.events import Event, purchase
from tests.fakes.server import EmbeddedServer
from tests.integration.producer.stored import Stored


def events(count: int, **changes: object) -> list[Event]:
    return [purchase(f"order-{number}") | changes for number in range(count)]


def test_outcomes_are_in_the_order_of_the_events(producer: Producer, stored: Stored) -> None:
    given = events(5)
    given[1]["custom_data"] = {"value": float("nan")}
    given[3]["event_name"] = b"no text"
    outcomes = producer.enqueue_many(given)

    assert [type(outcome) for outcome in outcomes] == [Receipt, InvalidEvent, Receipt, InvalidEvent, Receipt]
    assert [each.event_id for each in outcomes if isinstance(each, Receipt)] == ["order-0", "order-2", "order-4"]
    assert stored.ids() == ["order-0", "order-2", "order-4"]


def test_nothing_is_a_call_too(producer: Producer, stored: Stored) -> None:
    assert producer.enqueue_many([]) == []
    assert stored.redis.dbsize() == 0


def test_events_may_come_from_a_generator(producer: Producer, stored: Stored) -> None:
    producer.enqueue_many(event for event in events(3))

    assert stored.ids() == ["order-0", "order-1", "order-2"]


def test_a_call_of_the_store_takes_a_thousand_events_at_most(producer: Producer, stored: Stored) -> None:
    outcomes = producer.enqueue_many(events(2001))

    assert [type(outcome) for outcome in outcomes] == [Receipt] * 2001
    assert stored.ids() == [f"order-{number}" for number in range(2001)]
    assert stored.calls() == 3


def test_a_call_of_the_store_takes_two_megabytes_at_most(producer: Producer, stored: Stored) -> None:
    producer.enqueue_many(events(70, custom_data={"note": "x" * 60_000}))

    assert len(stored.ids()) == 70
    assert stored.calls() == 3


def test_once_the_store_refused_the_rest_is_not_tried(event_store: EmbeddedServer, stored: Stored) -> None:
    with closing(Producer(event_store.url, default_dataset_id="1001", lane_cap=1500, deadline_seconds=20)) as producer:
        given = events(3000)
        given[2500]["custom_data"] = {"value": float("nan")}
        outcomes = producer.enqueue_many(given)

    assert [type(outcome) for outcome in outcomes] == [
        *[Receipt] * 1000,
        *[LaneFull] * 1500,
        InvalidEvent,
        *[LaneFull] * 499,
    ]
    assert len(stored.ids()) == 1000


def test_enqueue_raises_what_enqueue_many_returns(event_store: EmbeddedServer) -> None:
    with (
        closing(Producer(event_store.url, default_dataset_id="1001", lane_cap=0, deadline_seconds=20)) as producer,
        pytest.raises(Overloaded, match="lane is full"),
    ):
        producer.enqueue(purchase())
