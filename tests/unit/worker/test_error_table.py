"""Every row of the table of errors by an answer that meets it, and every row of the table is met."""

import json

import pytest

from worker.answer import Response
from worker.error_table import ROWS, STATUS_ROWS, Row, StatusRow, row_of, status_verdict
from worker.explain import explain
from worker.outcome import (
    DatasetBlocked,
    EventRejected,
    Outcome,
    RateLimited,
    TokenDead,
    TooLarge,
    Transient,
    Unknown,
    classify,
)

# (code, subcode, HTTP status, is_transient as Meta sends it, what it means); the status is the one that was seen.
Case = tuple[int, int | None, int, bool | None, type]
GRAPH: list[Case] = [
    (1, None, 400, None, Transient),
    (1, 99, 500, None, Transient),
    (2, None, 503, True, Transient),
    (3, None, 400, None, DatasetBlocked),
    (4, None, 403, True, RateLimited),
    (4, 1504022, 400, True, RateLimited),
    (4, 1504039, 400, True, RateLimited),
    (5, None, 400, None, Unknown),
    (10, None, 403, None, DatasetBlocked),
    (17, None, 400, True, RateLimited),
    (17, 2446079, 500, None, RateLimited),
    (32, None, 403, True, RateLimited),
    (99, None, 400, None, Transient),
    (100, None, 400, False, Unknown),
    (100, 33, 400, None, DatasetBlocked),
    (100, 34, 404, None, DatasetBlocked),
    (100, 38, 400, None, DatasetBlocked),
    (100, 2804117, 400, False, DatasetBlocked),
    (100, 2804131, 400, False, DatasetBlocked),
    (100, 2804132, 400, False, DatasetBlocked),
    (100, 1815356, 400, False, EventRejected),
    (102, None, 401, None, TokenDead),
    (102, 463, 400, None, TokenDead),
    (104, None, 400, None, Unknown),
    (105, None, 400, None, TooLarge),
    (190, None, 401, None, TokenDead),
    (190, 460, 500, None, TokenDead),
    (200, None, 403, None, DatasetBlocked),
    (294, None, 400, None, DatasetBlocked),
    (341, None, 500, None, RateLimited),
    (368, None, 400, None, DatasetBlocked),
    (463, None, 401, None, TokenDead),
    (467, None, 401, None, TokenDead),
    (506, None, 400, None, Unknown),
    (613, None, 400, None, RateLimited),
    (613, 1996, 400, None, RateLimited),
    (613, 1487742, 400, None, RateLimited),
    (613, 5044001, 400, None, RateLimited),
    (803, None, 404, None, DatasetBlocked),
    (960, None, 400, None, Transient),
    (1487390, None, 400, None, Unknown),
    (2500, None, 400, None, DatasetBlocked),
    (2635, None, 400, None, DatasetBlocked),
    (5000, None, 400, None, Transient),
    (21009, None, 400, None, Transient),
    (2044055, None, 400, None, DatasetBlocked),
    (80000, 2446079, 400, None, RateLimited),
    (80004, 2446079, 400, None, RateLimited),
    (80014, None, 400, None, RateLimited),
    (-1, None, 500, None, Transient),
    (-3, None, 503, None, Transient),
]
NAMED_RULES = (1, 3, 4, 7, 8, 9, 10, 16, 17, 19, 23, 30, 36, 43, 48, 50, 63, 64, 66, 69, 71, 79, 87, 116)
NAMELESS_RULES = (2, 5, 6, 11, 12, 13, 14, 15, 18, 20, 21, 22, 24, 61, 62)
CASES: list[Case] = [
    *GRAPH,
    *[(100, 2_804_000 + rule, 400, False, EventRejected) for rule in (*NAMED_RULES, *NAMELESS_RULES)],
]
TITLES = ("Invalid parameter", "Paramètre non valide", "Parametro non valido", "Ugyldig parameter", "参数无效", "")
PAGE = b"<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>"
STATUSES: list[tuple[int, type]] = [
    (200, Transient),
    (302, DatasetBlocked),
    (400, Unknown),
    (401, DatasetBlocked),
    (403, DatasetBlocked),
    (404, DatasetBlocked),
    (408, Transient),
    (413, TooLarge),
    (425, Transient),
    (429, RateLimited),
    (500, Transient),
    (502, Transient),
    (503, Transient),
    (504, Transient),
]


def answer_to(case: Case, title: str = "Invalid parameter", **more: object) -> Outcome:
    code, subcode, status, is_transient, _ = case
    error: dict[str, object] = {"message": title, "error_user_title": title, "error_user_msg": title, "code": code}
    error |= {} if subcode is None else {"error_subcode": subcode}
    error |= {} if is_transient is None else {"is_transient": is_transient}
    return classify(Response(status, {}, json.dumps({"error": error, **more}).encode()), 1000)


def named(case: Case) -> str:
    return f"{case[0]}/{case[1]}-{case[2]}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_code_has_its_outcome(case: Case) -> None:
    assert type(answer_to(case)) is case[4]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_its_outcome_does_not_depend_on_the_language_of_its_texts(case: Case) -> None:
    assert {type(answer_to(case, title)) for title in TITLES} == {case[4]}


@pytest.mark.parametrize("case", [case for case in CASES if case[4] is not Unknown], ids=named)
def test_an_error_in_a_200_means_what_it_means_in_a_refusal(case: Case) -> None:
    outcome = answer_to((*case[:2], 200, *case[3:]), events_received=1000)

    assert type(outcome) is case[4]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.codes.start}-{row.subcodes and row.subcodes.start}")
def test_every_row_is_met_by_an_answer_and_names_its_source(row: Row) -> None:
    assert any(row_of(code, subcode) is row for code, subcode, *_ in CASES)
    assert {source.strip() for source in row.source.split(",")} <= {"Meta", "seen", "connectors", "inferred"}


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize("body", [b"", PAGE, b'{"error"'], ids=["empty", "HTML", "torn JSON"])
def test_a_status_without_a_readable_body_has_its_outcome(status: int, kind: type, body: bytes) -> None:
    assert type(classify(Response(status, {}, body), 1000)) is kind


@pytest.mark.parametrize("row", STATUS_ROWS, ids=lambda row: str(row.statuses))
def test_every_row_of_a_status_is_met_and_names_its_source(row: StatusRow) -> None:
    met = [status for status, _ in STATUSES if status in row.statuses and status_verdict(status, bare=True)]

    assert met
    assert row.source


@pytest.mark.parametrize(("code", "seconds"), [(613, 300), (80004, None), (4, None)])
def test_a_limit_without_a_word_from_meta_has_its_least_wait(code: int, seconds: float | None) -> None:
    outcome = answer_to((code, None, 400, None, RateLimited))

    assert isinstance(outcome, RateLimited)
    assert outcome.seconds == seconds


@pytest.mark.parametrize(("code", "seconds"), [(368, 3600), (10, None)])
def test_a_block_for_breaking_policies_lasts_an_hour_at_least(code: int, seconds: float | None) -> None:
    outcome = answer_to((code, None, 400, None, DatasetBlocked))

    assert isinstance(outcome, DatasetBlocked)
    assert outcome.least_seconds == seconds


def test_a_path_in_the_plain_message_names_the_event_too() -> None:
    outcome = answer_to((100, 2804019, 400, False, EventRejected), 'Unexpected key "x" on param "$[\'data\'][7]"')

    assert isinstance(outcome, EventRejected)
    assert outcome.index == 7


@pytest.mark.parametrize("rule", NAMED_RULES)
def test_every_rule_that_is_known_is_explained_in_words_of_its_own(rule: int) -> None:
    told = explain("rejected", 100, 2_804_000 + rule)

    assert told != explain("rejected", None, None)
    assert "not known to this version" not in told.cause
