"""Two opinions on the same rules: what the schemas call valid the simulator takes, and the other way round.

The simulator was written from Meta's documentation alone. Where our schemas are stricter on purpose, the code stands in
`STRICTER` with the reason; the simulator is stricter nowhere.
"""

import copy
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas import problems_of
from schemas.custom_data import CUSTOMER_SEGMENTS, DELIVERY_CATEGORIES
from schemas.messaging import EVENT_NAMES
from schemas.window import SEND_MARGIN_SECONDS
from simulator.rules import MAX_AGE_SECONDS, MAX_STORE_AGE_SECONDS, first_error
from tests.fakes.events import EXTINFO, USER_AGENT, digest

Event = dict[str, Any]

NOW = 1_700_000_000.0
# Codes with which our schemas refuse what the simulator lets pass, each for a reason.
STRICTER = {
    "unknown_key": "user_data is closed: an unknown key may be raw personal data",
    "null": "no event of ours needs a null outside user_data",
    "empty": "a name of no length, an address or a list without a member says nothing",
    "too_long": "a name of more than 50 characters is no event Meta shows",
    "negative": "a refund is no conversion",
    "not_hashed": "Meta documents lowercase hex; empty members are no digest",
    "not_external_id": "an empty id finds nobody",
    "malformed_fbc": "an empty click id is none",
    "bad_lead_id": "an empty or zero lead id is none",
    "website_without_url": "Meta documents it as required",
    "not_url": "an address that no browser has shown",
    "ldu_without_country": "Meta could not place the event",
    "ldu_without_state": "Meta could not place the event",
    "bad_ldu_option": "there is one option",
    "bad_ldu_country": "there are two values",
    "bad_ldu_state": "there are fifteen values",
    "not_string": "a type other than the documented one",
    "not_integer": "a type other than the documented one",
    "not_number": "a type other than the documented one",
    "not_boolean": "a type other than the documented one",
    "not_flag": "a type other than the documented one",
    "not_id": "a type other than the documented one",
    "not_scalar": "a type other than the documented one",
    "not_object": "a type other than the documented one",
    "not_list": "a type other than the documented one",
    "not_property": "null is no property",
    "not_unix_seconds": "a type other than the documented one",
    "bad_delivery_category": "Meta lists three",
    "bad_store_code": "Meta documents letters and digits",
    "bad_currency": "an empty currency is none",
    "bad_customer_segmentation": "Meta lists nine",
    "bad_extinfo_member": "a position is text or a number",
    "extinfo_without_os_version": "the documented type is text",
    "missing": "an item of contents, or app_data of another source, without its key",
    "missing_for_channel": "an empty id is none",
    "weak_identifiers": "what is empty finds nobody",
}

HASHES = st.sampled_from([digest("a"), digest("b"), f"{digest('c')}.AQQCAQMC", f"{digest('d')}.AQ"])
ONE_OR_MANY = HASHES | st.lists(HASHES, min_size=1, max_size=3)
IDS = st.sampled_from(["1234567890", "c-7"]) | st.integers(1, 10**15)
AMOUNTS = st.sampled_from([0, 12, 12.5, "142.52", "0.00", ".5", "7."])
CONTACT = dict.fromkeys(("em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country"), ONE_OR_MANY)
PIECES = dict.fromkeys(("f5first", "f5last", "fi", "dobd", "dobm", "doby"), HASHES)
KNOWN_IDS = {
    "external_id": st.just("c-7") | st.lists(st.sampled_from(["c-7", digest("7")]), min_size=1, max_size=2),
    "subscription_id": IDS,
    "fb_login_id": IDS,
    "lead_id": st.integers(10**14, 10**17 - 1) | st.integers(10**14, 10**17 - 1).map(str),
    "madid": st.just("38400000-8cf0-11bd-b23e-10b96e40000d"),
    "anon_id": st.just("XZ-7"),
    "partner_id": IDS,
    "partner_name": st.just("shop"),
}
BROWSER = {
    "client_ip_address": st.ip_addresses().map(str),
    "client_user_agent": st.just(USER_AGENT),
    "fbc": st.sampled_from(["fb.1.1699990000123.IwAR2F4-x_Y", "fb.2.1699990000.AbCdEf.AQICAQMC"]),
    "fbp": st.just("fb.1.1699990000123.1116446470"),
}
STRONG = st.sampled_from([{"em": digest("a")}, {"external_id": "c-7"}, {"ph": [digest("b")]}, {"madid": "x"}])
CONTENT = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "quantity": st.integers(1, 9),
        "item_price": AMOUNTS,
        "delivery_category": st.sampled_from(sorted(DELIVERY_CATEGORIES)),
        "title": st.text(max_size=5),
        "brand": st.text(max_size=5),
    },
)
SHOPPING = {
    "content_name": st.text(max_size=5),
    "content_ids": st.lists(IDS, max_size=3),
    "contents": st.lists(CONTENT, max_size=2),
    "content_type": st.sampled_from(["product", "product_group", "hotel"]),
    "order_id": IDS,
    "predicted_ltv": AMOUNTS,
    "num_items": st.integers(1, 9),
    "status": st.booleans() | st.just("done"),
    "search_string": st.text(max_size=5),
    "item_number": IDS,
    "delivery_category": st.sampled_from(sorted(DELIVERY_CATEGORIES)),
    "net_revenue": AMOUNTS,
    "customer_segmentation": st.sampled_from(sorted(CUSTOMER_SEGMENTS)),
    "store_data": st.just({"store_page_id": "7", "store_code": "N1"}),
    "seats": st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2) | st.booleans(),
}
MONEY = st.fixed_dictionaries({"value": AMOUNTS, "currency": st.sampled_from(["EUR", "usd"])}, optional=SHOPPING)
REST = {
    "event_id": st.text(max_size=9),
    "opt_out": st.booleans(),
    "referrer_url": st.just("https://search.example/"),
    "data_processing_options": st.just([]),
    "original_event_data": st.just({"event_name": "Lead", "event_time": 1_690_000_000, "event_id": "1"}),
    "customer_segmentation": st.sampled_from(sorted(CUSTOMER_SEGMENTS)),
    "attribution_data": st.just({"ad_id": "7", "attribution_share": 0.5}),
    "advanced_measurement_table": st.just("t"),
}
LDU = st.sampled_from([{}, {"data_processing_options": ["LDU"]}]).flatmap(
    lambda options: (
        st.just({})
        if not options
        else st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1000, 1013])).map(
            lambda place: (
                options | {"data_processing_options_country": place[0], "data_processing_options_state": place[1]}
            )
        )
    )
)


def times(limit_seconds: int) -> st.SearchStrategy[int]:
    return st.integers(int(NOW) - limit_seconds + SEND_MARGIN_SECONDS, int(NOW))


@st.composite
def general(draw: st.DrawFn) -> Event:
    """Draw an event of the sources that ask for nothing of their own."""
    source = draw(
        st.sampled_from(["email", "website", "phone_call", "chat", "physical_store", "system_generated", "other"])
    )
    limit = MAX_STORE_AGE_SECONDS if source == "physical_store" else MAX_AGE_SECONDS
    event: Event = draw(
        st.fixed_dictionaries(
            {
                "event_name": st.sampled_from(["Purchase", "Lead", "PageView", "Züge"]),
                "event_time": times(limit),
                "user_data": st.fixed_dictionaries({}, optional={**CONTACT, **PIECES, **KNOWN_IDS, **BROWSER}),
                "custom_data": MONEY,
            },
            optional=REST,
        )
    )
    event["user_data"] |= draw(STRONG)
    event["action_source"] = source
    if source == "website":
        event["event_source_url"] = "https://shop.example/?q=ä"
    if source == "physical_store" and event["custom_data"].get("contents"):
        event["custom_data"]["contents"][0]["price"] = draw(AMOUNTS)
    if event["event_name"] != "Purchase" and draw(st.booleans()):
        del event["custom_data"]
    return event | draw(LDU)


@st.composite
def from_an_app(draw: st.DrawFn) -> Event:
    event = draw(general()) | {"action_source": "app", "event_time": draw(times(MAX_AGE_SECONDS))}
    event.pop("event_source_url", None)
    for content in event.get("custom_data", {}).get("contents", ()):
        content.pop("price", None)
    event["app_data"] = draw(
        st.fixed_dictionaries(
            {
                "advertiser_tracking_enabled": st.sampled_from([0, 1, True, False]),
                "extinfo": st.sampled_from([list(EXTINFO), ["a2", "", "", "", "14", *[None] * 11]]),
            },
            optional={
                "application_tracking_enabled": st.sampled_from([0, 1, True]),
                "install_referrer": st.just("r"),
                "vendor_id": st.just("v"),
                "url_schemes": st.lists(st.text(max_size=3), max_size=2),
                "consider_views": st.booleans(),
            },
        )
    )
    return event


CHANNELS: list[tuple[str, Event]] = [
    ("messenger", {"page_id": "1", "page_scoped_user_id": 2}),
    ("whatsapp", {"whatsapp_business_account_id": "1", "ctwa_clid": "c"}),
    ("whatsapp", {"page_id": "1", "ctwa_clid": "c"}),
    ("instagram", {"ig_account_id": "1", "ig_sid": "2"}),
    ("instagram", {"ig_account_id": 1, "instagram_business_account_id": "1", "ig_sid": "2"}),
]


@st.composite
def message(draw: st.DrawFn) -> Event:
    channel, ids = draw(st.sampled_from(CHANNELS))
    return {
        "event_name": draw(st.sampled_from(sorted(EVENT_NAMES))),
        "event_time": draw(times(MAX_AGE_SECONDS)),
        "action_source": "business_messaging",
        "messaging_channel": channel,
        "user_data": draw(st.fixed_dictionaries({}, optional=CONTACT)) | ids,
        "custom_data": draw(MONEY),
    }


DOCUMENTED = general() | from_an_app() | message()
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, "", [], {}, 0, 1, -1, True, False, 1.5, 10**18, "x", "12.5", "1e3", "ada@example.com"),
        *([None], [""], ["x"], [7], [{}], ["LDU"], [digest("a"), ""], digest("a").upper()),
        *("EUR", "LDU", "Purchase", "website", "app", "physical_store"),
    ]
)
_KEYS = """
event_name action_source event_source_url event_id user_data custom_data app_data opt_out messaging_channel
data_processing_options data_processing_options_country original_event_data customer_segmentation nobody_knows_this
em ph ge db external_id fbc lead_id client_ip_address page_id ctwa_clid ig_sid partner_id
value currency contents content_ids num_items predicted_ltv status store_data id price quantity
extinfo advertiser_tracking_enabled
"""
KEYS = st.sampled_from(_KEYS.split())


@st.composite
def damaged(draw: st.DrawFn) -> Event:
    """Draw a documented event in which up to three keys are gone or hold something else."""
    event = copy.deepcopy(draw(DOCUMENTED))
    parts = [event, *(part for part in event.values() if isinstance(part, dict))]
    parts += [item for item in event.get("custom_data", {}).get("contents", ()) if isinstance(item, dict)]
    for _ in range(draw(st.integers(1, 3))):
        part = draw(st.sampled_from(parts))
        if part and draw(st.booleans()):
            del part[draw(st.sampled_from(sorted(part)))]
        else:
            part[draw(KEYS)] = draw(ODD)
    return event


def judged(event: Event) -> tuple[set[str], bool]:
    """Return our codes, and whether the simulator takes the event."""
    return {problem.code for problem in problems_of(event)}, first_error([event], NOW) is None


def is_of_another_time(event: Event) -> bool:
    """Tell whether damage has moved the event out of its window, which is no matter of the schemas."""
    moment = event.get("event_time")
    return type(moment) is not int or not int(NOW) - MAX_AGE_SECONDS <= moment <= NOW


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(DOCUMENTED)
def test_what_meta_documents_is_valid_to_both(event: Event) -> None:
    assert judged(event) == (set(), True)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged())
@example({"event_name": "Lead", "event_time": int(NOW), "action_source": "other", "user_data": {"partner_id": "7"}})
def test_what_the_schemas_call_valid_the_simulator_takes(event: Event) -> None:
    codes, taken = judged(event)

    assert codes or taken or is_of_another_time(event)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged())
def test_what_the_simulator_takes_is_valid_but_for_what_we_refuse_on_purpose(event: Event) -> None:
    codes, taken = judged(event)

    assert not taken or codes <= STRICTER.keys()
