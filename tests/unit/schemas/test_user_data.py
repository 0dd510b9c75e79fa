"""Who did it: hashes, ids, and which of them are enough."""

from typing import Any

import pytest

from capi_relay.fields import HASHED as HASHED_BY_THE_PRODUCER
from capi_relay.fields import PLAIN
from schemas.fields import HashField, HashText
from schemas.user_data import WEAK_SETS, UserDataSchema
from tests.fakes.events import FBC, USER_AGENT, digest, purchase
from tests.unit.schemas.verdict import verdict

HASH = digest("ada@example.com")
HASHED = sorted(name for name, field in UserDataSchema().fields.items() if isinstance(field, HashField | HashText))


def with_user_data(**user_data: object) -> dict[str, Any]:
    """Return an event whose person is known by an address already."""
    return purchase(user_data={"client_ip_address": "203.0.113.7", **user_data})


@pytest.mark.parametrize("key", HASHED)
def test_every_personal_field_takes_a_digest(key: str) -> None:
    assert verdict(with_user_data(**{key: HASH})) == []


@pytest.mark.parametrize("key", HASHED)
def test_every_personal_field_refuses_raw_data(key: str) -> None:
    assert verdict(with_user_data(**{key: "ada@example.com"})) == [(f"user_data.{key}", "not_hashed")]


@pytest.mark.parametrize("appendix", ["AQ", "AQICAQMC"])
def test_a_digest_may_carry_the_appendix_of_the_parameter_builder(appendix: str) -> None:
    assert verdict(with_user_data(em=[f"{HASH}.{appendix}"])) == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        [],
        HASH.upper(),
        HASH[:-1],
        HASH + "0",
        HASH + "\n",
        HASH + ".AQI",
        digest("x")[:32],
        12_025_550_123,
        {},
        [[HASH]],
    ],
)
def test_what_is_no_digest_is_refused(value: object) -> None:
    paths = {path.partition("[")[0] for path, code in verdict(with_user_data(ph=value)) if code == "not_hashed"}

    assert paths == {"user_data.ph"}


def test_in_a_list_each_bad_member_is_named() -> None:
    assert verdict(with_user_data(em=[HASH, "ada@example.com", HASH, None])) == [
        ("user_data.em[1]", "not_hashed"),
        ("user_data.em[3]", "not_hashed"),
    ]


def test_null_is_tolerated_because_a_sample_of_meta_carries_it() -> None:
    assert verdict(with_user_data(ph=None, fbc=None)) == []


@pytest.mark.parametrize("value", ["customer-1", HASH, ["a", HASH]])
def test_an_external_id_may_be_hashed_or_not(value: object) -> None:
    assert verdict(with_user_data(external_id=value)) == []


@pytest.mark.parametrize("value", [7, "", [], {}])
def test_an_external_id_is_not_empty_and_no_number(value: object) -> None:
    assert verdict(with_user_data(external_id=value)) == [("user_data.external_id", "not_external_id")]


@pytest.mark.parametrize("value", [10**14, 10**17 - 1, "123456789012345"])
def test_a_lead_id_has_15_to_17_digits(value: object) -> None:
    assert verdict(with_user_data(lead_id=value)) == []


@pytest.mark.parametrize("value", [10**14 - 1, 10**17, -(10**15), "12345678901234", "12345678901234a", "\u0661" * 15])
def test_another_lead_id_is_refused(value: object) -> None:
    assert verdict(with_user_data(lead_id=value)) == [("user_data.lead_id", "bad_lead_id")]


@pytest.mark.parametrize("value", [FBC, FBC + ".AQ", FBC + ".AQICAQMC", "fb.0.1700000000.x"])
def test_a_click_id_in_the_documented_form_is_valid(value: str) -> None:
    assert verdict(with_user_data(fbc=value)) == []


@pytest.mark.parametrize("value", ["", "IwAR2F4", "fb.1.17.IwAR", "FB.1.1700000000123.IwAR", FBC + ".AQI", FBC + "\n"])
def test_a_malformed_click_id_is_refused(value: str) -> None:
    assert verdict(with_user_data(fbc=value)) == [("user_data.fbc", "malformed_fbc")]


def test_a_browser_id_of_any_form_is_valid() -> None:
    assert verdict(with_user_data(fbp="whatever")) == []


def test_an_empty_ip_address_is_refused() -> None:
    assert verdict(purchase(user_data={"em": HASH, "client_ip_address": ""})) == [
        ("user_data.client_ip_address", "empty")
    ]


@pytest.mark.parametrize("weak", WEAK_SETS)
def test_a_weak_set_is_not_enough(weak: frozenset[str]) -> None:
    user_data = {key: USER_AGENT if key == "client_user_agent" else HASH for key in weak}

    assert verdict(purchase(user_data=user_data)) == [("user_data", "weak_identifiers")]


@pytest.mark.parametrize("weak", WEAK_SETS)
def test_one_identifier_outside_a_weak_set_is_enough(weak: frozenset[str]) -> None:
    user_data = {key: USER_AGENT if key == "client_user_agent" else HASH for key in weak}

    assert verdict(purchase(user_data=user_data | {"external_id": "customer-1"})) == []


@pytest.mark.parametrize("user_data", [{"fn": HASH, "db": HASH}, {"fn": HASH, "ln": HASH}, {"db": HASH, "zp": HASH}])
def test_members_of_two_weak_sets_together_are_enough(user_data: dict[str, str]) -> None:
    assert verdict(purchase(user_data=user_data)) == []


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_empty_identifier_counts_as_absent(empty: object) -> None:
    problems = verdict(purchase(user_data={"client_user_agent": USER_AGENT, "fbp": empty}))

    assert ("user_data", "weak_identifiers") in problems


def test_no_identifier_at_all_is_not_enough() -> None:
    assert verdict(purchase(user_data={})) == [("user_data", "weak_identifiers")]


def test_an_unknown_key_is_refused_because_it_may_be_raw_personal_data() -> None:
    assert verdict(with_user_data(email="ada@example.com")) == [("user_data.email", "unknown_key")]


def test_the_producer_and_the_schema_know_the_same_keys() -> None:
    assert {*HASHED_BY_THE_PRODUCER, *PLAIN} == set(UserDataSchema().fields)
