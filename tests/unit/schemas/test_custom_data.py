"""What was bought or done, and for how much."""

from typing import Any

import pytest

from tests.fakes.events import page_view, purchase
from tests.unit.schemas.verdict import verdict


def bought(**custom_data: object) -> dict[str, Any]:
    return purchase(custom_data={"value": 1, "currency": "EUR", **custom_data})


@pytest.mark.parametrize("value", [0, 12, 142.5, "142.52", "0.00", ".5", 10**99])
def test_value_is_a_number_or_a_numeric_string(value: object) -> None:
    assert verdict(bought(value=value)) == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "12 EUR",
        "1,234.56",
        "NaN",
        "Infinity",
        "1e3",
        "+5",
        "9" * 400,
        "12\n",
        "\u0663",
        float("inf"),
        float("nan"),
        True,
        [],
        {},
    ],
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    assert verdict(bought(value=value)) == [("custom_data.value", "not_number")]


@pytest.mark.parametrize("value", [-1, -0.01, "-2"])
def test_a_negative_value_is_refused(value: object) -> None:
    assert verdict(bought(value=value)) == [("custom_data.value", "negative")]


@pytest.mark.parametrize("currency", ["EUR", "eur", "zzz"])
def test_a_currency_has_three_letters_in_either_case(currency: str) -> None:
    assert verdict(bought(currency=currency)) == []


@pytest.mark.parametrize("currency", ["", "EURO", "E1R", "EUR\n", "€€€"])
def test_another_currency_is_refused(currency: str) -> None:
    assert verdict(bought(currency=currency)) == [("custom_data.currency", "bad_currency")]


def test_a_purchase_without_custom_data_lacks_both_value_and_currency() -> None:
    event = purchase()
    del event["custom_data"]

    assert verdict(event) == [
        ("custom_data.currency", "purchase_without_currency"),
        ("custom_data.value", "purchase_without_value"),
    ]


@pytest.mark.parametrize(("custom_data", "code"), [(None, "null"), ([], "not_object"), ("{}", "not_object")])
def test_a_purchase_whose_custom_data_is_no_object_is_told_that_alone(custom_data: object, code: str) -> None:
    assert verdict(purchase(custom_data=custom_data)) == [("custom_data", code)]


def test_a_null_value_is_one_problem_not_two() -> None:
    assert verdict(bought(value=None)) == [("custom_data.value", "null")]


def test_another_event_needs_neither() -> None:
    assert verdict(page_view(custom_data={"content_name": "Cup"})) == []


@pytest.mark.parametrize("extra", ["text", 1, 1.5, False, [], ["a", 1], {}, {"hall": {"row": None}}])
def test_custom_properties_of_any_shape_are_valid(extra: object) -> None:
    assert verdict(bought(**{"venue": extra, "mileage.value": 3})) == []


def test_a_custom_property_that_is_null_is_refused() -> None:
    assert verdict(bought(venue=None)) == [("custom_data.venue", "not_property")]


@pytest.mark.parametrize("status", ["completed", True])
def test_status_may_be_a_string_or_a_boolean(status: object) -> None:
    assert verdict(bought(status=status)) == []


def test_content_ids_are_strings_or_integers() -> None:
    assert verdict(bought(content_ids=["sku-1", 2, 2.5, None, ""])) == [
        ("custom_data.content_ids[2]", "not_id"),
        ("custom_data.content_ids[3]", "null"),
        ("custom_data.content_ids[4]", "not_id"),
    ]


@pytest.mark.parametrize("value", ["[1]", {"0": 1}, 1])
def test_content_ids_are_a_list(value: object) -> None:
    assert verdict(bought(content_ids=value)) == [("custom_data.content_ids", "not_list")]


def test_an_item_may_have_every_key_that_is_in_use() -> None:
    item = {
        "id": 7,
        "quantity": 2,
        "item_price": "9.99",
        "delivery_category": "curbside",
        "title": "Cup",
        "description": "Blue",
        "brand": "Example",
        "category": "Kitchen",
    }

    assert verdict(bought(contents=[item])) == []


def test_price_is_a_key_of_stores_alone() -> None:
    event = bought(contents=[{"id": "a"}, {"id": "b", "price": 9.99}])

    assert verdict(event) == [("custom_data.contents[1].price", "unknown_key")]
    assert verdict(event | {"action_source": "physical_store"}) == []


def test_every_bad_item_is_named() -> None:
    items = [{"id": "a"}, {"quantity": 1}, "a", {"id": "b", "quantity": "2"}, {"id": "c", "name": "Cup"}, {"id": None}]

    assert verdict(bought(contents=items)) == [
        ("custom_data.contents[1].id", "missing"),
        ("custom_data.contents[2]", "not_object"),
        ("custom_data.contents[3].quantity", "not_integer"),
        ("custom_data.contents[4].name", "unknown_key"),
        ("custom_data.contents[5].id", "null"),
    ]


def test_a_discount_line_may_be_negative() -> None:
    assert verdict(bought(contents=[{"id": "voucher", "item_price": -5}], net_revenue=-2, predicted_ltv=0)) == []


def test_an_unexpected_content_type_is_taken() -> None:
    assert verdict(bought(content_type="hotel")) == []


def test_a_store_may_be_named() -> None:
    assert verdict(bought(store_data={"store_page_id": "12", "store_code": "NYC01", "floor": 2})) == []
