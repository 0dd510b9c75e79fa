import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import normalize
from capi_relay.countries import COUNTRY_CODES, STATE_CODES
from capi_relay.text import trimmed

FIELDS = sorted(normalize.NORMALIZERS)
# Arbitrary text seldom looks like an address, a date or a number, so text made of their characters is tried too.
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="0123456789 +-()./x#"),
    st.text(alphabet="aAzZ@.+-_' \u200b"),
    st.text(alphabet="eEI\u0130\u0131\u03a3\u03c3\u00df\u0301\u0307\u0345\u200d\ufe0f0-.' "),
    st.dates().map(lambda day: f"{day.month}/{day.day}/{day.year}"),
    st.emails(),
    st.sampled_from(sorted(COUNTRY_CODES) + sorted(STATE_CODES)),
)


@pytest.mark.parametrize("field", FIELDS)
@given(text=TEXTS)
def test_a_normal_form_is_its_own_normal_form(field: str, text: str) -> None:
    normalized = normalize.NORMALIZERS[field]
    normal = normalized(text)

    assert normal is None or normalized(normal) == normal


@pytest.mark.parametrize("field", FIELDS)
@given(text=TEXTS)
def test_a_normal_form_is_never_empty_and_never_surrounded_by_space(field: str, text: str) -> None:
    normal = normalize.NORMALIZERS[field](text)

    assert normal is None or (normal and normal == normal.strip())


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"external_id"}))
@given(text=st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_case_of_a_value_makes_no_difference(field: str, text: str) -> None:
    normalized = normalize.NORMALIZERS[field]

    assert normalized(text.upper()) == normalized(text.lower())


@pytest.mark.parametrize("field", ["fn", "ln", "ct", "st", "f5first", "f5last", "fi"])
@given(text=st.text())
def test_names_and_places_hold_letters_marks_and_numbers_only_in_nfc(field: str, text: str) -> None:
    normal = normalize.NORMALIZERS[field](text) or ""

    assert all(unicodedata.category(char)[0] in "LMN" for char in normal)
    assert unicodedata.is_normalized("NFC", normal)


@given(text=st.text(alphabet=st.characters(categories=["L"])))
def test_letters_of_every_script_stay_in_a_name(text: str) -> None:
    normal = normalize.fn(text)

    assert len(normal or "") >= len(unicodedata.normalize("NFC", trimmed(text)))


def test_what_stood_between_a_letter_and_its_accent_leaves_no_trace() -> None:
    assert normalize.ct("A9\u0301vila") == normalize.ct("Ávila")
    assert normalize.ln("A-\u0301vila") == normalize.ln("Ávila")


def test_composed_and_decomposed_names_are_one() -> None:
    assert normalize.fn("Vale\u0301ry") == normalize.fn("Valéry")


def test_a_date_of_birth_may_be_a_date_or_a_datetime() -> None:
    assert normalize.db(date(1997, 2, 16)) == "19970216"
    assert normalize.db(datetime(1997, 2, 16, 23, 59, tzinfo=UTC)) == "19970216"


@given(birthday=st.dates(min_value=date(1900, 1, 1), max_value=date(2020, 12, 31)))
def test_every_unambiguous_way_to_write_a_date_gives_the_same_birthday(birthday: date) -> None:
    ways = (
        birthday.isoformat(),
        f"{birthday:%Y/%m/%d}",
        f"{birthday.month}/{birthday.day}/{birthday.year}",
        f"{birthday:%d.%m.%Y}",
    )

    assert {normalize.db(way) for way in ways} == {f"{birthday:%Y%m%d}"}


@given(birthday=st.dates(min_value=date(1900, 1, 1), max_value=date(2020, 12, 31)))
def test_a_date_between_dashes_with_the_year_last_is_never_guessed(birthday: date) -> None:
    read = normalize.db(f"{birthday:%d-%m-%Y}")
    ambiguous = birthday.day <= 12 and birthday.day != birthday.month

    assert read == (None if ambiguous else f"{birthday:%Y%m%d}")


def test_nobody_is_born_tomorrow() -> None:
    today = date(2026, 11, 22)

    assert normalize.db("2026-11-22", today=today) == "20261122"
    assert normalize.db("2026-11-23", today=today) is None
    assert normalize.doby("2026", today=today) == "2026"
    assert normalize.doby("2027", today=today) is None


@pytest.mark.parametrize("text", [" JOHN@example.com", "John@Example.com\u200b", "john@example.com\r\n"])
def test_one_address_in_several_spellings_is_one_address(text: str) -> None:
    assert normalize.em(text) == "john@example.com"


@pytest.mark.parametrize("text", ["a" * 100_000 + "@", "@" * 100_000, ("a@" + "b." * 50_000), " " * 100_000])
def test_a_hostile_address_is_refused_in_no_time(text: str) -> None:
    assert normalize.em(text) is None
