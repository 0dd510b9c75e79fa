"""The extra capi-relay[phone]: what it adds, and that plain numbers mean the same with it and without."""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import phone_library, phones
from capi_relay.personal import protect
from capi_relay.phones import by_the_rules, ph

# Taken before any test replaces it.
ask_for_the_library = phone_library._library.__wrapped__
COUNTRIES = st.sampled_from(sorted(phones._BY_COUNTRY))
WRITTEN = st.text(alphabet="0123456789+() -.x#")


EXTRAS = Path(sys.prefix) / "extras"


def installed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the package as `make setup` lays it beside the environment."""
    monkeypatch.syspath_prepend(EXTRAS)
    if os.environ.get("CI"):
        return import_module("phonenumbers")
    return cast("ModuleType", pytest.importorskip("phonenumbers", reason="make setup has not installed the extras"))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = installed(monkeypatch)
    monkeypatch.setattr(phone_library, "_library", lambda: module)
    return module


def test_without_the_library_the_documented_rules_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    assert ask_for_the_library() is None
    assert ph("+44 (0)20 7946 0018") == "4402079460018"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+44 (0)20 7946 0018", None, "442079460018"),
        ("+49 (0)170 1234567", None, "491701234567"),
        ("0044 (0)20 7946 0018", "us", "442079460018"),
        ("011 15-1234-5678", "ar", "5491112345678"),
        ("8 (912) 345-67-89", "ru", "79123456789"),
        ("06 1234 5678", "it", "390612345678"),
        ("(650) 555-1212 ext. 5", "us", "16505551212"),
        ("٠٢٠ ٧٩٤٦ ٠٠١٨", "gb", "442079460018"),
    ],
)
def test_the_library_knows_trunk_prefixes_and_the_digits_of_mobiles(
    text: str, country: str | None, number: str
) -> None:
    assert ph(text, country) == number


@pytest.mark.usefixtures("library")
def test_both_readings_are_sent_where_the_library_drops_what_the_rules_keep() -> None:
    event, _ = protect({"user_data": {"ph": "+44 (0)20 7946 0018"}}, match_variants=True)

    assert len(event["user_data"]["ph"]) == 2


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("text", ["(650) 555-1212", "n/a", "", "+999 123 456 789", "1" * 300, "+" + "1" * 300])
def test_what_neither_can_read_is_left_out(text: str) -> None:
    assert ph(text) is None


@pytest.mark.usefixtures("library")
def test_what_the_library_does_not_know_is_read_by_the_rules() -> None:
    assert ph("45 12 34 56", "dk") == by_the_rules("45 12 34 56", "dk") == "4545123456"


def test_an_example_number_of_every_country_is_the_same_with_and_without(library: ModuleType) -> None:
    for region in library.SUPPORTED_REGIONS:
        for kind in (library.PhoneNumberType.FIXED_LINE, library.PhoneNumberType.MOBILE):
            example = library.example_number_for_type(region, kind)
            if example is not None:
                number = library.format_number(example, library.PhoneNumberFormat.E164)

                assert ph(number) == by_the_rules(number) == number[1:], region


def test_an_example_number_written_at_home_becomes_the_international_one(library: ModuleType) -> None:
    for region in library.SUPPORTED_REGIONS & {code.upper() for code in phones._BY_COUNTRY}:
        example = library.example_number_for_type(region, library.PhoneNumberType.MOBILE)
        if example is not None and library.is_valid_number_for_region(example, region):
            at_home = library.format_number(example, library.PhoneNumberFormat.NATIONAL)

            assert ph(at_home, region) == library.format_number(example, library.PhoneNumberFormat.E164)[1:], region


@given(text=WRITTEN, country=st.none() | COUNTRIES)
def test_what_the_rules_leave_as_it_is_the_library_leaves_too(text: str, country: str | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        module = installed(patch)
        patch.setattr(phone_library, "_library", lambda: module)
        normal = ph(text, country)

        assert normal is None or (normal.isdigit() and len(normal) <= 15)
        if normal is not None and by_the_rules(normal, country) == normal:
            assert ph(normal, country) == normal
