import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.error_table import ROWS, Row, row_of
from worker.explain import explain

DOORS = ["invalid", "rejected", "expired", "undecodable", "crashed", "parked", "duplicate", "erased"]
PAUSES = ["no_token", "token", "blocked", "unknown_code", "rate_limited"]
OTHERS = ["too_large", "transient", "local_trouble"]
ANY = explain("something new", None, None)


@pytest.mark.parametrize("reason", [*DOORS, *PAUSES, *OTHERS])
def test_every_reason_is_explained_in_its_own_sentences(reason: str) -> None:
    explanation = explain(reason, None, None)

    assert explanation != ANY
    assert explanation.cause.endswith(".")
    assert explanation.fix.endswith(".")


@pytest.mark.parametrize(
    "subcode",
    [
        *[2804001, 2804003, 2804004, 2804007, 2804008, 2804009, 2804010, 2804016, 2804017, 2804019, 2804023, 2804030],
        *[2804036, 2804043, 2804048, 2804050, 2804063, 2804064, 2804066, 2804069, 2804071, 2804079, 2804087, 2804116],
        *[2804117, 2804131, 2804132],
    ],
)
def test_every_known_subcode_is_explained_apart_from_the_rest(subcode: int) -> None:
    assert explain("rejected", 100, subcode).cause != explain("rejected", 100, 2804999).cause


def test_a_subcode_belongs_to_code_100_only() -> None:
    assert explain("rejected", 190, 2804010) == explain("rejected", 190, None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.codes.start}-{row.subcodes and row.subcodes.start}")
def test_every_row_of_the_error_table_is_reached_and_explained(row: Row) -> None:
    code, subcode = row.codes[0], row.subcodes[0] if row.subcodes else None

    assert row_of(code, subcode) is row
    assert explain("something new", code, subcode) != ANY


@pytest.mark.parametrize("reason", ["invalid", "expired", "undecodable", "crashed", "parked"])
def test_an_earlier_code_of_metas_does_not_hide_what_we_found_out(reason: str) -> None:
    assert explain(reason, 1, None) == explain(reason, None, None)


def test_a_rejection_with_an_unknown_code_is_still_a_rejection() -> None:
    explanation = explain("rejected", 999_999, None)

    assert explanation.cause.startswith(explain("rejected", None, None).cause)
    assert explanation.fix == explain("rejected", None, None).fix


def test_an_event_that_alone_provokes_a_passing_fault_is_not_said_to_pass() -> None:
    assert explain("rejected", 1, None).fix == explain("rejected", None, None).fix


def test_an_unknown_reason_is_explained_by_its_code() -> None:
    assert "access token" in explain("something new", 190, 463).cause


def test_the_fields_are_named_where_they_are_known() -> None:
    explanation = explain("invalid", None, None, ("user_data.em: hash it.", "custom_data.value"))

    assert explanation.cause.endswith("Fields: user_data.em: hash it; custom_data.value.")


@given(st.text(), st.none() | st.integers(), st.none() | st.integers(), st.lists(st.text(), max_size=3))
def test_anything_is_explained(reason: str, code: int | None, subcode: int | None, fields: list[str]) -> None:
    explanation = explain(reason, code, subcode, fields)

    assert explanation.cause
    assert explanation.fix
