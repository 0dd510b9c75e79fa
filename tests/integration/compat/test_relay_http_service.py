"""Meta's real SDK with the relay behind it instead of Meta: its answers, its refusals, and what never gets in."""

import inspect
import json
import logging
from collections.abc import Iterator

import pytest
import redis
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event_response import EventResponse
from facebook_business.adobjects.serverside.http_method import HttpMethod
from facebook_business.adobjects.serverside.http_service_interface import HttpServiceInterface

from capi_relay import InvalidEvent, MisconfiguredError, Overloaded, Producer, keys
from capi_relay.compat import RelayHttpService
from tests.fakes.events import digest
from tests.fakes.server import EmbeddedServer
from tests.integration.compat.sdk_events import DATASET, TOKEN, ada, request_for, web_event

URL = f"https://graph.facebook.com/v26.0/{DATASET}/events"


@pytest.fixture
def producer(event_store: EmbeddedServer) -> Iterator[Producer]:
    producer = Producer(event_store.url, deadline_seconds=5)
    yield producer
    producer.close()


@pytest.fixture
def service(producer: Producer) -> RelayHttpService:
    return RelayHttpService(producer)


def stored(server: EmbeddedServer) -> list[bytes]:
    """Return the bodies that wait in the dataset's lane."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        return [fields[b"e"] for _, fields in client.xrange(keys.stream(0, f"{DATASET}/0"))]


def test_it_has_the_shape_of_the_sdks_interface() -> None:
    ours = inspect.signature(RelayHttpService.execute).parameters
    theirs = inspect.signature(HttpServiceInterface.execute).parameters

    assert list(ours) == list(theirs)


def test_the_answer_has_what_the_sdks_own_has(service: RelayHttpService) -> None:
    answer = request_for(service, [web_event()]).execute()

    assert answer.to_dict() == EventResponse(events_received=1, messages=[], fbtrace_id=None).to_dict()
    assert [receipt.event_id for receipt in answer.receipts] == ["order-1001"]


def test_the_events_wait_for_the_dataset_in_their_order(service: RelayHttpService, event_store: EmbeddedServer) -> None:
    request_for(service, [web_event("1"), web_event("2"), web_event("3")]).execute()

    assert [json.loads(body)["event_id"] for body in stored(event_store)] == ["1", "2", "3"]


def test_an_event_without_an_id_gets_one(service: RelayHttpService, event_store: EmbeddedServer) -> None:
    answer = request_for(service, [web_event(event_id=None)]).execute()

    assert json.loads(stored(event_store)[0])["event_id"] == answer.receipts[0].event_id


def test_a_request_without_events_stores_nothing(service: RelayHttpService, event_store: EmbeddedServer) -> None:
    assert request_for(service, []).execute().events_received == 0
    assert stored(event_store) == []


def test_the_sdks_token_is_stored_nowhere_and_logged_nowhere(
    service: RelayHttpService, event_store: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request_for(service, [web_event()], appsecret="the-apps-secret").execute()

    with redis.Redis.from_url(event_store.url, protocol=2) as client:
        everything = b"".join(client.dump(key) or b"" for key in client.scan_iter())
    assert TOKEN.encode() not in everything
    assert TOKEN not in caplog.text + repr(vars(service))


def test_what_the_sdk_hashed_in_vain_is_left_out_and_said_so(service: RelayHttpService) -> None:
    useless = ada(city="12345", first_name="d41d8cd98f00b204e9800998ecf8427e")
    answer = request_for(service, [web_event(), web_event("2", user_data=useless)]).execute()

    assert answer.events_received == 2
    assert [message.partition(": left out")[0] for message in answer.messages] == [
        "data[1]: user_data.fn[0]",
        "data[1]: user_data.ct[0]",
    ]


def test_parameters_of_the_request_are_not_sent_on_and_said_so_and_logged_once(
    service: RelayHttpService, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        answer = request_for(service, [web_event()], test_event_code="TEST12345", upload_tag="spring").execute()

    assert answer.messages == [
        "test_event_code: not sent on: set it in the datasets file",
        "upload_tag: not sent on: it has no place in the relay",
    ]
    assert len(caplog.records) == 2
    assert "TEST12345" not in caplog.text


def test_one_event_that_json_cannot_carry_refuses_the_request_and_stores_none(
    service: RelayHttpService, event_store: EmbeddedServer
) -> None:
    bad = web_event("2", custom_data=CustomData(value=float("nan"), currency="USD"))

    with pytest.raises(InvalidEvent, match=r"^data\[1\]: NaN is no JSON; nothing of the request is stored$"):
        request_for(service, [web_event("1"), bad, web_event("3")]).execute()
    assert stored(event_store) == []


def test_an_event_that_is_too_large_is_refused(service: RelayHttpService) -> None:
    bad = web_event(custom_data=CustomData(value=1, currency="USD", content_name="x" * 70_000))

    with pytest.raises(InvalidEvent, match=r"^data\[0\]: the event is larger than 65536 bytes"):
        request_for(service, [bad]).execute()


def test_a_store_that_is_away_refuses_the_request() -> None:
    service = RelayHttpService(Producer("redis://127.0.0.1:1", deadline_seconds=0.2))

    with pytest.raises(Overloaded, match="0 of 2 events are stored"):
        request_for(service, [web_event("1"), web_event("2")]).execute()


def test_a_value_the_sdk_itself_refuses_raises_the_sdks_error(service: RelayHttpService) -> None:
    with pytest.raises(TypeError):
        request_for(service, [web_event(user_data=ada(email="nobody"))]).execute()


@pytest.mark.parametrize(
    ("method", "url"),
    [
        (HttpMethod.GET, URL),
        (HttpMethod.POST, f"https://graph.facebook.com/v26.0/{DATASET}/other"),
        (HttpMethod.POST, "https://graph.facebook.com/v26.0/me/events"),
        (HttpMethod.POST, ""),
    ],
)
def test_another_request_than_for_events_is_refused(service: RelayHttpService, method: str, url: str) -> None:
    with pytest.raises(MisconfiguredError, match="EventRequest"):
        service.execute(url=url, method=method, request_options=None, headers={}, params={"data": []})


@pytest.mark.parametrize("data", [None, "[]", [{"event_name": "Lead"}], ["[]"], ["{"], ["\ud800"]])
def test_data_that_no_event_request_makes_is_refused(service: RelayHttpService, data: object) -> None:
    with pytest.raises(InvalidEvent):
        service.execute(url=URL, method=HttpMethod.POST, request_options=None, headers={}, params={"data": data})


def test_a_raw_external_id_is_hashed_as_everywhere_in_the_relay(
    service: RelayHttpService, event_store: EmbeddedServer
) -> None:
    request_for(service, [web_event()]).execute()

    assert json.loads(stored(event_store)[0])["user_data"]["external_id"] == [digest("customer-1001")]
