"""What Meta's real SDK executes arrives at the simulator, through a real store and a real worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from capi_relay.compat import RelayHttpService
from tests.fakes.events import EXTINFO, digest
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator
from tests.integration.compat.sdk_events import DATASET, DOCUMENTED, ada, app_event, request_for, web_event


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Execute one request of three events and return what arrived by event id."""
    odd = web_event("odd-1", user_data=ada(first_name="Mary-Jane", city="Ürümqi", email=None, phone=None))
    with (
        Simulator({DATASET: "the-relays-token"}) as meta,
        Relay(tmp_path_factory.mktemp("relay"), meta.url, {DATASET: "the-relays-token"}) as relay,
    ):
        producer = relay.producer()
        answer = request_for(RelayHttpService(producer), [web_event(), app_event(), odd]).execute()
        producer.close()
        assert (answer.events_received, answer.messages) == (3, [])
        relay.start_worker()
        wait_until(lambda: len(meta.events(DATASET)) == 3, "the simulator took the three events")
        relay.command("reconcile")
        yield {line["event_id"]: line["event"] for line in meta.events(DATASET, raw=True)}


def test_user_data_arrives_with_the_documented_hashes(delivered: dict[str, dict[str, Any]]) -> None:
    assert delivered["order-1001"]["user_data"] == DOCUMENTED


def test_the_rest_of_a_web_event_arrives_as_the_sdk_made_it(delivered: dict[str, dict[str, Any]]) -> None:
    event = delivered["order-1001"]

    assert (event["event_name"], event["action_source"]) == ("Purchase", "website")
    assert event["event_source_url"] == "https://shop.example.com/thanks"
    assert event["custom_data"] == {
        "value": 123.45,
        "currency": "usd",
        "order_id": "1001",
        "contents": [{"id": "sku-1", "quantity": 2, "item_price": 39.95}],
        "shop": "north",
    }


def test_app_data_arrives_in_its_order(delivered: dict[str, dict[str, Any]]) -> None:
    app_data = delivered["start-7"]["app_data"]

    assert app_data.pop("extinfo") == list(EXTINFO)
    assert app_data == {"application_tracking_enabled": True, "advertiser_tracking_enabled": True}


def test_what_the_sdk_has_normalised_otherwise_is_passed_on_as_it_hashed_it(
    delivered: dict[str, dict[str, Any]],
) -> None:
    user_data = delivered["odd-1"]["user_data"]

    assert user_data["fn"] == [digest("mary-jane")]
    assert user_data["ct"] == [digest("ürümqi")]
