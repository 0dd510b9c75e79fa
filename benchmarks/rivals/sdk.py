"""Build and send events with Meta's SDK: facebook-business."""

from collections.abc import Mapping, Sequence
from typing import Any

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

_USER_DATA = {
    "em": "emails",
    "ph": "phones",
    "fn": "first_names",
    "ln": "last_names",
    "ct": "cities",
    "st": "states",
    "zp": "zip_codes",
    "country": "country_codes",
    "external_id": "external_ids",
}
_AS_THEY_ARE = ("client_ip_address", "client_user_agent", "fbc", "fbp")


def event_of(event: Mapping[str, Any]) -> Event:
    """Return the SDK's object for an event of ours, raw or hashed."""
    person, bought = event["user_data"], event["custom_data"]
    given = {
        name: [person[key]] if isinstance(person[key], str) else person[key]
        for key, name in _USER_DATA.items()
        if key in person
    }
    return Event(
        event_name=event["event_name"],
        event_time=event["event_time"],
        event_id=event["event_id"],
        event_source_url=event["event_source_url"],
        action_source=ActionSource.WEBSITE,
        user_data=UserData(**given, **{key: person[key] for key in _AS_THEY_ARE}),
        custom_data=CustomData(
            value=float(bought["value"]),
            currency=bought["currency"],
            order_id=bought["order_id"],
            content_type=bought["content_type"],
            num_items=bought.get("num_items"),
            contents=[
                Content(product_id=item["id"], quantity=item["quantity"], item_price=item["item_price"])
                for item in bought["contents"]
            ],
        ),
    )


def connect(url: str) -> None:
    """Point the SDK at an endpoint."""
    FacebookSession.GRAPH = url
    FacebookAdsApi.init(access_token="a-token", crash_log=False)  # noqa: S106 - no secret


def send(dataset_id: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Send events in one request."""
    EventRequest(pixel_id=dataset_id, events=[event_of(event) for event in events]).execute()
