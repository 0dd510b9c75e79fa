"""Events as code that uses Meta's SDK builds them, of values that the SDK normalises as documented."""

import time
from typing import Any

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.app_data import AppData
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.extended_device_info import ExtendedDeviceInfo
from facebook_business.adobjects.serverside.gender import Gender
from facebook_business.adobjects.serverside.user_data import UserData

from tests.fakes.events import EXTINFO, FBC, FBP, USER_AGENT, digest

DATASET = "1234567890"
TOKEN = "EAAthe-sdks-own-token"
DOCUMENTED = {
    "em": [digest("ada@example.com")],
    "ph": [digest("12025550123")],
    "fn": [digest("ada")],
    "ln": [digest("lovelace")],
    "db": [digest("18151210")],
    "ge": [digest("f")],
    "ct": [digest("sanfrancisco")],
    "st": [digest("ca")],
    "zp": [digest("94103")],
    "country": [digest("us")],
    "external_id": [digest("customer-1001")],
    "client_ip_address": "203.0.113.7",
    "client_user_agent": USER_AGENT,
    "fbc": FBC,
    "fbp": FBP,
}
_EXTINFO_NAMES = """
ext_info_version app_package_name short_version long_version os_version device_model_name locale timezone_abbreviation
carrier screen_width screen_height screen_density cpu_core_count total_disk_space_gb free_disk_space_gb device_time_zone
"""


def ada(**changes: Any) -> UserData:  # noqa: ANN401 - what the SDK takes
    """Return the user data of Ada Lovelace, raw."""
    given = {
        "email": " Ada@Example.com ",
        "phone": "+1 (202) 555-0123",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "date_of_birth": "18151210",
        "gender": Gender.FEMALE,
        "city": "San Francisco",
        "state": "CA",
        "zip_code": "94103-1234",
        "country_code": "US",
        "external_id": "customer-1001",
        "client_ip_address": "203.0.113.7",
        "client_user_agent": USER_AGENT,
        "fbc": FBC,
        "fbp": FBP,
    }
    return UserData(**{**given, **changes})


def web_event(event_id: str | None = "order-1001", **changes: Any) -> Event:  # noqa: ANN401 - what the SDK takes
    """Return a Purchase on the website."""
    given = {
        "event_name": "Purchase",
        "event_id": event_id,
        "event_time": int(time.time()),
        "action_source": ActionSource.WEBSITE,
        "event_source_url": "https://shop.example.com/thanks",
        "user_data": ada(),
        "custom_data": CustomData(
            value=123.45,
            currency="USD",
            order_id="1001",
            contents=[Content(product_id="sku-1", quantity=2, item_price=39.95)],
            custom_properties={"shop": "north"},
        ),
    }
    return Event(**{**given, **changes})


def app_event() -> Event:
    """Return an ActivateApp of an app."""
    return web_event(
        "start-7",
        event_name="ActivateApp",
        action_source=ActionSource.APP,
        event_source_url=None,
        custom_data=None,
        app_data=AppData(
            application_tracking_enabled=True,
            advertiser_tracking_enabled=True,
            extinfo=ExtendedDeviceInfo(**dict(zip(_EXTINFO_NAMES.split(), EXTINFO, strict=True))),
        ),
    )


def request_for(service: object, events: list[Event], **more: str) -> EventRequest:
    """Return a request as code makes it that has changed the one line."""
    return EventRequest(pixel_id=DATASET, events=events, http_client=service, access_token=TOKEN, **more)
