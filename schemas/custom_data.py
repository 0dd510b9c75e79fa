"""``custom_data`` and its ``contents``: what was bought or done, and for how much.

Open: any key Meta does not know is a custom property, and accepted (Meta: custom-data). ``contents`` is closed: Meta
refuses the batch for an unknown key there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from schemas.base import OBJECT, ClosedSchema, Fault, OpenSchema, Rule, about, section
from schemas.fields import Identifier, Integer, ListOf, NumberOrNumericString, Object, Scalar, Text
from schemas.validators import Matches, OneOf

# UNVERIFIED: that Meta takes booleans and objects as custom properties; that it refuses null there.
PROPERTY_TYPES: Final = (str, int, float, bool, list, dict)
CURRENCY: Final = re.compile(r"\A[A-Za-z]{3}\Z")  # in either case; whether it exists is not asked here
STORE_CODE: Final = re.compile(r"\A[A-Za-z0-9]{1,64}\Z")
DELIVERY_CATEGORIES: Final = frozenset({"in_store", "curbside", "home_delivery"})
CUSTOMER_SEGMENTS: Final = frozenset(
    {
        "new_customer_to_business",
        "new_customer_to_business_line",
        "new_customer_to_product_area",
        "new_customer_to_medium",
        "existing_customer_to_business",
        "existing_customer_to_business_line",
        "existing_customer_to_product_area",
        "existing_customer_to_medium",
        "customer_in_loyalty_program",
    }
)


def properties_are_json(custom_data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find custom properties of a type Meta has no use for."""
    for key, value in custom_data.items():
        if key not in _KNOWN and not isinstance(value, PROPERTY_TYPES):
            yield Fault((key,), "not_property")


def purchase_has_value_and_currency(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find a Purchase that does not say how much, and a value that does not say of what."""
    custom_data = event.get("custom_data", {})
    if not isinstance(custom_data, OBJECT):
        return
    purchase = event.get("event_name") == "Purchase"
    if purchase and "value" not in custom_data:
        yield Fault(("custom_data", "value"), "purchase_without_value")
    if "currency" not in custom_data:
        if purchase:
            yield Fault(("custom_data", "currency"), "purchase_without_currency")
        elif "value" in custom_data:  # UNVERIFIED: Meta's refusal (2804023) is known from one report
            yield Fault(("custom_data", "currency"), "value_without_currency")


@about("custom_data", "contents", "price")
def only_stores_say_price(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find an item's ``price`` outside a store: only the offline page knows it, elsewhere it is ``item_price``."""
    contents = section(event, "custom_data").get("contents")
    if event.get("action_source") == "physical_store" or not isinstance(contents, list):
        return
    for index, content in enumerate(contents):
        if isinstance(content, OBJECT) and "price" in content:
            yield Fault(("custom_data", "contents", index, "price"), "unknown_key")


class ContentSchema(ClosedSchema):
    """One item: the four documented keys, the four more of the SDK, and ``price`` of a store (Meta: offline-events)."""

    id = Identifier(required=True)
    quantity = Integer()
    item_price = NumberOrNumericString(may_be_negative=True)
    price = NumberOrNumericString(may_be_negative=True)
    delivery_category = Text(validate=OneOf(DELIVERY_CATEGORIES, "bad_delivery_category"))
    title = Text()
    description = Text()
    brand = Text()
    category = Text()


class StoreDataSchema(OpenSchema):
    """The shop of an offline purchase (Meta: offline-events)."""

    store_page_id = Identifier()
    brand_page_id = Identifier()
    store_code = Text(validate=Matches(STORE_CODE, "bad_store_code"))


class CustomDataSchema(OpenSchema):
    """Meta: custom-data."""

    rules: ClassVar[tuple[Rule, ...]] = (properties_are_json,)

    value = NumberOrNumericString()  # UNVERIFIED: that Meta refuses a negative one; a refund is no conversion
    currency = Text(validate=Matches(CURRENCY, "bad_currency"))
    content_name = Text()
    content_category = Text()
    content_ids = ListOf(Identifier())
    contents = ListOf(Object(ContentSchema))
    content_type = Text()  # an unexpected one is taken, and of no use to catalogues
    order_id = Identifier()
    predicted_ltv = NumberOrNumericString(may_be_negative=True)
    num_items = Integer()
    status = Scalar()  # a string for the SDKs, a boolean for the Pixel
    search_string = Text()
    item_number = Identifier()
    delivery_category = Text(validate=OneOf(DELIVERY_CATEGORIES, "bad_delivery_category"))
    net_revenue = NumberOrNumericString(may_be_negative=True)
    lead_event_source = Text()
    event_source = Text()
    customer_segmentation = Text(validate=OneOf(CUSTOMER_SEGMENTS, "bad_customer_segmentation"))
    store_data = Object(StoreDataSchema)
    product_catalog_id = Identifier()


_KNOWN: Final = frozenset(CustomDataSchema().fields)
