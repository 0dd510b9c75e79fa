import pytest

from capi_relay.countries import COUNTRY_CODES, STATE_CODES, folded


def test_the_table_holds_all_249_countries_of_iso_3166() -> None:
    assert len(set(COUNTRY_CODES.values())) == 249


def test_every_alpha_2_code_stands_for_itself() -> None:
    assert all(COUNTRY_CODES[code] == code for code in COUNTRY_CODES.values())


def test_every_country_has_one_alpha_3_code_at_least() -> None:
    assert {code for name, code in COUNTRY_CODES.items() if len(name) == 3} == set(COUNTRY_CODES.values())


def test_no_code_of_two_letters_but_the_known_nicknames_stands_for_another_country() -> None:
    nicknames = {name: code for name, code in COUNTRY_CODES.items() if len(name) == 2 and name != code}

    assert nicknames == {"uk": "gb", "el": "gr"}


def test_the_states_are_50_with_the_capital_five_territories_and_thirteen_provinces() -> None:
    assert len(set(STATE_CODES.values())) == 50 + 1 + 5 + 13


def test_no_name_of_a_state_is_a_code_so_that_a_code_stays_what_it_is() -> None:
    assert not STATE_CODES.keys() & set(STATE_CODES.values())


@pytest.mark.parametrize(
    ("name", "key"), [("Côte d'Ivoire", "cotedivoire"), ("U.S.A.", "usa"), ("Türkiye", "turkiye"), ("Åland", "aland")]
)
def test_a_folded_name_has_lower_case_letters_without_accents(name: str, key: str) -> None:
    assert folded(name) == key
