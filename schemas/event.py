"""The event: the members of ``data[]``, and the rules that only the whole event can answer (Meta: server-event).

Closed: Meta refuses the whole batch for an unknown key at this level.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from schemas.app_data import AppDataSchema, app_has_app_data
from schemas.base import ABSENT, ClosedSchema, Fault, OpenSchema, Rule, about, is_present, section, where
from schemas.custom_data import (
    CUSTOMER_SEGMENTS,
    CustomDataSchema,
    only_stores_say_price,
    purchase_has_value_and_currency,
)
from schemas.fields import Boolean, Identifier, Integer, ListOf, NumberOrNumericString, Object, Text, UnixSeconds
from schemas.messaging import CHANNELS, messaging_has_its_ids, messaging_has_no_web_keys
from schemas.user_data import UserDataSchema
from schemas.validators import Below, Length, OneOf

# UNVERIFIED for this endpoint: the length commonly quoted for custom Pixel events.
EVENT_NAME_MAX_LENGTH: Final = 50
# In seconds this is the year 5138, in milliseconds 1973: whoever sends it means milliseconds.
MILLISECONDS_FROM: Final = 10**11
ACTION_SOURCES: Final = frozenset(
    {
        "email",
        "website",
        "app",
        "phone_call",
        "chat",
        "physical_store",
        "system_generated",
        "business_messaging",
        "other",
    }
)
# UNVERIFIED: adds value to an earlier event; two large connectors send it, without an action_source.
APPEND_VALUE: Final = "AppendValue"
# UNVERIFIED: how closely Meta looks at the address; a scheme and the beginning of a host are asked for.
WEB_ADDRESS: Final = re.compile(r"\Ahttps?://[^\s/?#]", re.IGNORECASE)

LDU_COUNTRIES: Final = frozenset({0, 1})
# 0, and the fourteen states (Meta: data-processing-options). UNVERIFIED: that Meta refuses other numbers.
LDU_STATES: Final = frozenset({0, *range(1000, 1014)})


@where("action_source", ABSENT)
def event_has_action_source(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find an event that does not say where it happened, unless the earlier event it belongs to has said so."""
    if event.get("event_name") != APPEND_VALUE or not section(event, "original_event_data"):
        yield Fault(("action_source",), "missing")


@where("action_source", "website")
def website_has_url(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find a website event that does not say which page. A missing user agent is no fault: Meta takes the event."""
    if "event_source_url" not in event:
        yield Fault(("event_source_url",), "website_without_url")
    url = event.get("event_source_url")
    if isinstance(url, str) and not WEB_ADDRESS.match(url):
        yield Fault(("event_source_url",), "not_url")


@about("data_processing_options")
def ldu_says_where(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find Limited Data Use that Meta cannot place (Meta: data-processing-options).

    UNVERIFIED: that it refuses such an event. A country without a state is no fault: Meta falls back to geolocation.
    """
    options = event.get("data_processing_options")
    if not isinstance(options, list) or "LDU" not in options:
        return
    if "data_processing_options_country" not in event:
        yield Fault(("data_processing_options_country",), "ldu_without_country")
    located = is_present(section(event, "user_data").get("client_ip_address"))
    if "data_processing_options_state" not in event and not located:
        yield Fault(("data_processing_options_state",), "ldu_without_state")


class OriginalEventDataSchema(OpenSchema):
    """The earlier event that a delayed one belongs to (Meta: original-event)."""

    event_name = Text()
    event_time = UnixSeconds(validate=Below(MILLISECONDS_FROM, "event_time_in_milliseconds"))
    order_id = Identifier()
    event_id = Text()


class AttributionDataSchema(OpenSchema):
    """The documented part of a beta: who gets the credit (Meta: append-attribution)."""

    ad_id = Identifier()
    touchpoint_ts = Integer()
    attribution_share = NumberOrNumericString()
    attribution_value = NumberOrNumericString()


class EventSchema(ClosedSchema):
    """One event as Meta takes it. Its age is no matter of the schema: see ``event_window``."""

    rules: ClassVar[tuple[Rule, ...]] = (
        event_has_action_source,
        website_has_url,
        only_stores_say_price,
        purchase_has_value_and_currency,
        ldu_says_where,
        app_has_app_data,
        messaging_has_its_ids,
        messaging_has_no_web_keys,
    )

    event_name = Text(required=True, validate=Length(EVENT_NAME_MAX_LENGTH))
    event_time = UnixSeconds(required=True, validate=Below(MILLISECONDS_FROM, "event_time_in_milliseconds"))
    user_data = Object(UserDataSchema, required=True)
    action_source = Text(validate=OneOf(ACTION_SOURCES, "bad_action_source"))
    event_source_url = Text()
    event_id = Text()
    custom_data = Object(CustomDataSchema)
    opt_out = Boolean()
    data_processing_options = ListOf(Text(validate=OneOf(frozenset({"LDU"}), "bad_ldu_option")))
    data_processing_options_country = Integer(validate=OneOf(LDU_COUNTRIES, "bad_ldu_country"))
    data_processing_options_state = Integer(validate=OneOf(LDU_STATES, "bad_ldu_state"))
    app_data = Object(AppDataSchema)
    referrer_url = Text()
    original_event_data = Object(OriginalEventDataSchema)
    # The table has it here, the example beside it in custom_data: taken in both places.
    customer_segmentation = Text(validate=OneOf(CUSTOMER_SEGMENTS, "bad_customer_segmentation"))
    messaging_channel = Text(validate=OneOf(CHANNELS, "bad_messaging_channel"))
    attribution_data = Object(AttributionDataSchema)
    advanced_measurement_table = Text()
