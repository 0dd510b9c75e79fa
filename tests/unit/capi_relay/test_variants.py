from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.hashing import is_sha256, sha256_hex
from capi_relay.personal import protect
from capi_relay.text import letters_and_digits
from capi_relay.variants import VARIED, other_readings

WRITTEN = st.text() | st.text(alphabet="aéüßŁ-\u2010 'Ｚ日が") | st.text(alphabet="+0123456789() -")
COUNTRIES = st.sampled_from([None, "gb", "US", "it"])


def varied(user_data: dict[str, Any], default_country: str | None = None) -> dict[str, Any]:
    event, _ = protect({"user_data": user_data}, default_country, match_variants=True)
    found: dict[str, Any] = event["user_data"]
    return found


def hashed(*texts: str) -> list[str]:
    return [sha256_hex(text) for text in texts]


@pytest.mark.parametrize(
    ("key", "value", "readings"),
    [
        ("fn", "Valéry", ["valéry", "valery"]),
        ("fn", "Mary-Jane", ["maryjane", "mary-jane"]),
        ("fn", "Mary\u2010Jane", ["maryjane", "mary-jane"]),
        ("fn", "Anne-Zoé", ["annezoé", "annezoe", "anne-zoé", "anne-zoe"]),
        ("ln", "Müller", ["müller", "muller"]),
        ("ln", "Łukasiewicz", ["łukasiewicz", "lukasiewicz"]),
        ("ln", "Groß", ["groß", "gross"]),
        ("ct", "São Paulo", ["sãopaulo", "saopaulo"]),
        ("ct", "Stratford-upon-Avon", ["stratforduponavon"]),
        ("ph", "+44 (0)20 7946 0018", ["4402079460018", "442079460018"]),
        ("ph", "+39 06 1234 5678", ["390612345678"]),
        ("fn", "Ada", ["ada"]),
        ("ln", "O'Brien", ["obrien"]),
        ("fn", "-Ada-", ["ada"]),
        ("fn", "Йосиф", ["йосиф"]),
        ("fn", "がく", ["がく"]),
        ("em", "Zoë@example.com", ["zoë@example.com"]),
    ],
)
def test_a_value_is_sent_in_each_of_its_readings(key: str, value: str, readings: list[str]) -> None:
    digests = hashed(*readings)

    assert varied({key: value}) == {key: digests if len(digests) > 1 else digests[0]}


def test_without_the_option_only_the_documented_form_is_sent() -> None:
    event, _ = protect({"user_data": {"fn": "Anne-Zoé", "ph": "+44 (0)20 7946 0018"}})

    assert event["user_data"] == {"fn": sha256_hex("annezoé"), "ph": sha256_hex("4402079460018")}


def test_the_readings_of_a_list_are_each_sent_once() -> None:
    assert varied({"ln": ["Müller", "Muller"]}) == {"ln": hashed("müller", "muller")}


def test_a_list_of_one_stays_a_list() -> None:
    assert varied({"fn": ["Ada"]}) == {"fn": hashed("ada")}


def test_a_digest_has_no_other_reading() -> None:
    digest = sha256_hex("müller")

    assert varied({"ln": digest, "fn": [digest.upper()]}) == {"ln": digest, "fn": [digest]}


def test_what_has_no_normal_form_is_left_out_with_one_warning() -> None:
    event, warnings = protect({"user_data": {"ph": ["(650) 555-1212"], "fn": "é"}}, match_variants=True)

    assert event["user_data"] == {"fn": hashed("é", "e")}
    assert [warning.partition(": ")[0] for warning in warnings] == ["user_data.ph[0]"]


def test_a_number_is_read_as_its_digits() -> None:
    assert varied({"ph": 4402079460018}) == {"ph": hashed("4402079460018", "442079460018")}


def test_the_default_country_holds_for_the_other_readings_too() -> None:
    assert varied({"ph": "020 7946 0018"}, "gb") == {"ph": sha256_hex("442079460018")}


@given(key=st.sampled_from(sorted(VARIED)), value=WRITTEN, country=COUNTRIES)
def test_the_documented_reading_comes_first_and_no_reading_twice(key: str, value: str, country: str | None) -> None:
    plain, _ = protect({"user_data": {key: [value]}}, country)
    both = varied({key: [value]}, country)

    assert both.keys() == plain["user_data"].keys()
    assert both.get(key, [])[:1] == plain["user_data"].get(key, [])
    assert len(set(both.get(key, []))) == len(both.get(key, []))


@given(key=st.sampled_from(sorted(VARIED)), value=WRITTEN, country=COUNTRIES)
def test_protecting_twice_is_protecting_once(key: str, value: str, country: str | None) -> None:
    once = varied({key: value}, country)

    assert varied(once, country) == once
    assert protect({"user_data": once}, country)[0]["user_data"] == once


@given(value=WRITTEN)
def test_a_name_has_four_readings_at_most_and_all_of_the_same_letters_or_bare_ones(value: str) -> None:
    readings = other_readings("fn", value)

    assert len(readings) <= 3
    assert all(is_sha256(sha256_hex(reading)) for reading in readings)
    assert all(letters_and_digits(reading) == reading.replace("-", "") for reading in readings)
