import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import phones
from capi_relay.countries import COUNTRY_CODES
from capi_relay.phones import ph
from capi_relay.text import trimmed

COUNTRIES = st.sampled_from(sorted(phones._BY_COUNTRY))
WRITTEN = st.text(alphabet="0123456789+() -.x#")


@given(text=WRITTEN | st.text(), country=st.none() | COUNTRIES)
def test_a_normal_phone_is_7_to_15_ascii_digits_without_a_leading_zero(text: str, country: str | None) -> None:
    normal = ph(text, country)

    assert normal is None or (
        normal.isascii() and normal.isdigit() and 7 <= len(normal) <= 15 and not normal.startswith("0")
    )


@given(country=COUNTRIES, data=st.data())
def test_a_national_number_completed_once_is_not_completed_again(country: str, data: st.DataObject) -> None:
    plan = phones._BY_COUNTRY[country]
    number = data.draw(st.from_regex(rf"[1-9][0-9]{{{plan.shortest - 1},{plan.longest - 1}}}", fullmatch=True))
    complete = ph(number, country)

    assert complete is None or ph(complete, country) == complete


@given(country=COUNTRIES, data=st.data())
def test_a_number_with_plus_is_the_same_whatever_the_default_country(country: str, data: st.DataObject) -> None:
    text = "+" + data.draw(WRITTEN)

    assert ph(text, country) == ph(text)


@given(text=WRITTEN, country=COUNTRIES)
def test_brackets_dots_and_dashes_make_no_difference(text: str, country: str) -> None:
    plain = "".join(char for char in text if char.isdigit() or char == "+")
    written = "-".join(plain) if plain.startswith("+") else plain.replace("+", "")

    assert ph(f"({written})", country) == ph(written, country)


@pytest.mark.parametrize("text", ["(650) 555-1212", "6505551212", "415-555-1212"])
def test_a_phone_without_a_country_code_is_left_out(text: str) -> None:
    assert ph(text) is None


@given(digits=st.from_regex(r"0[1-9][0-9]{5,13}", fullmatch=True))
def test_a_zero_in_front_and_no_country_is_left_out_unless_a_north_american_number_follows(digits: str) -> None:
    normal = ph(digits)

    assert normal is None or (normal == digits[1:] and normal.startswith("1") and len(normal) == 11)


@pytest.mark.parametrize("country", sorted(phones._BY_COUNTRY))
def test_a_zero_in_front_never_makes_a_number_of_a_country_that_is_not_the_given_one(country: str) -> None:
    normal = ph("020 7946 0018", country)

    assert normal is None or normal.startswith(phones._BY_COUNTRY[country].code)


@pytest.mark.parametrize(
    "text", ["+1 650 555 1212 ext 5", "650-555-1212 x55", "1 650 555 1212 #7", "6505551212 Ext. 12"]
)
def test_an_extension_is_no_part_of_the_number(text: str) -> None:
    assert ph(text, "us") == "16505551212"


def test_a_foreign_number_without_plus_keeps_its_own_code_when_it_is_too_long_for_the_country() -> None:
    assert ph("44 20 7946 0018", "us") == "442079460018"


def test_an_unknown_default_country_changes_nothing() -> None:
    assert ph("+16505551212", "zz") == ph("+16505551212")


def test_a_danish_number_that_begins_like_the_code_of_denmark_is_national() -> None:
    assert ph("45 12 34 56", "dk") == "4545123456"


def test_no_calling_code_begins_another() -> None:
    codes = sorted(phones._BY_CODE)

    assert not [(a, b) for a in codes for b in codes if a != b and b.startswith(a)]


def test_calling_codes_are_known_for_all_countries_but_those_without_phones_of_their_own() -> None:
    without = set(COUNTRY_CODES.values()) - phones._BY_COUNTRY.keys()

    assert without == {"aq", "bv", "gs", "hm", "pn", "tf", "um"}


def test_a_hostile_number_is_refused_in_no_time() -> None:
    assert ph("1 " * 50_000) is None
    assert ph("1" + " " * 100_000 + "x") is None


@given(text=st.text(alphabet="0123456789+＋٣ ()-.;,xXext#\u200b") | st.text())
def test_digits_and_mark_are_read_as_the_patterns_say(text: str) -> None:
    clean = phones._EXTENSION.sub("", trimmed(text))
    digits = "".join(str(unicodedata.decimal(digit)) for digit in re.findall(r"\d", clean))

    marked = phones._INTERNATIONAL.match(clean) is not None
    assert phones._written(text) == (digits, marked or digits.startswith("00"))
