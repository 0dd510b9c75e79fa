"""The envelopes of the Graph errors, and the table behind them."""

import pytest

from simulator.errors import GraphError, broken_rule, envelope, graph_error


def test_an_envelope_leaves_out_what_the_error_does_not_say() -> None:
    body = envelope(graph_error(190), "A1")

    assert body == {
        "error": {
            "message": "Invalid OAuth access token - Cannot parse access token",
            "type": "OAuthException",
            "code": 190,
            "fbtrace_id": "A1",
        },
    }


def test_a_broken_rules_envelope_has_every_key() -> None:
    body = envelope(broken_rule(2804010), "A1")

    assert body["error"] == {
        "message": "Invalid parameter",
        "type": "OAuthException",
        "code": 100,
        "error_subcode": 2804010,
        "is_transient": False,
        "error_user_title": "Missing Currency for Purchase Event",
        "error_user_msg": "A Purchase event needs a currency.",
        "fbtrace_id": "A1",
    }


@pytest.mark.parametrize(
    ("code", "subcode", "status", "is_transient"),
    [
        (1, None, 500, None),
        (2, None, 500, True),
        (4, None, 403, True),
        (80004, 2446079, 400, None),
        (100, 33, 400, None),
        (100, 2804003, 400, False),
        (190, 463, 401, None),
        (200, None, 403, None),
        (803, None, 404, None),
        (21009, None, 400, None),
    ],
)
def test_a_known_error_has_its_own_status(
    code: int,
    subcode: int | None,
    status: int,
    is_transient: bool | None,  # noqa: FBT001 - a column of the table
) -> None:
    error = graph_error(code, subcode)

    assert (error.code, error.subcode, error.status, error.is_transient) == (code, subcode, status, is_transient)


def test_a_known_code_with_an_unknown_subcode_keeps_its_status() -> None:
    assert graph_error(190, 467).status == 401


def test_a_code_that_always_has_a_subcode_gets_it() -> None:
    assert graph_error(80004).subcode == 2446079


def test_a_code_in_no_table_is_a_plain_400() -> None:
    assert graph_error(4711, 5) == GraphError(4711, 5, message="(#4711) Simulated error")


def test_an_errors_name_has_the_subcode_where_there_is_one() -> None:
    assert [graph_error(190).name, graph_error(100, 33).name] == ["190", "100/33"]
