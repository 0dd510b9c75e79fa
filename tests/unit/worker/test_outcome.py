"""Every row of the error table with bodies as Meta sends them, then properties for what it never sent yet."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.answer import Answer, InDoubt, NotSent, Response
from worker.outcome import (
    DatasetBlocked,
    Delivered,
    EventRejected,
    LocalTrouble,
    Outcome,
    RateLimited,
    TokenDead,
    TooLarge,
    Transient,
    Unknown,
    classify,
)

SENT = 1000
CLOSED_SET = (
    Delivered,
    EventRejected,
    Unknown,
    DatasetBlocked,
    TokenDead,
    RateLimited,
    TooLarge,
    Transient,
    LocalTrouble,
)


def answered(status: int, body: object, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def error(code: int, subcode: int | None = None, *, status: int = 400, **more: object) -> Response:
    fields = {"message": "Invalid parameter", "type": "OAuthException", "code": code, "fbtrace_id": "ASrojb9Zf5r"}
    if subcode is not None:
        fields["error_subcode"] = subcode
    return answered(status, {"error": fields | more})


def outcome_of(answer: Answer) -> Outcome:
    return classify(answer, SENT)


# --- Graph-level codes


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (1, None, 400, Transient),
        (1, 99, 500, Transient),
        (2, None, 503, Transient),
        (3, None, 400, DatasetBlocked),
        (3, None, 500, DatasetBlocked),
        (4, None, 403, RateLimited),
        (4, None, 400, RateLimited),
        (4, 1504022, 400, RateLimited),
        (4, 1504039, 400, RateLimited),
        (5, None, 400, Unknown),
        (10, None, 403, DatasetBlocked),
        (17, None, 400, RateLimited),
        (17, 2446079, 500, RateLimited),
        (32, None, 403, RateLimited),
        (99, None, 400, Transient),
        (100, None, 400, Unknown),
        (100, 33, 400, DatasetBlocked),
        (100, 34, 404, DatasetBlocked),
        (100, 38, 400, DatasetBlocked),
        (102, None, 400, TokenDead),
        (102, 463, 401, TokenDead),
        (102, 467, 401, TokenDead),
        (104, None, 400, Unknown),
        (105, None, 400, TooLarge),
        (190, None, 401, TokenDead),
        (190, None, 500, TokenDead),
        *[(190, subcode, 400, TokenDead) for subcode in (*range(456, 469), 492)],
        (200, None, 403, DatasetBlocked),
        (250, None, 403, DatasetBlocked),
        (294, None, 400, DatasetBlocked),
        (299, None, 403, DatasetBlocked),
        (300, None, 403, Unknown),
        (341, None, 400, RateLimited),
        (368, None, 400, DatasetBlocked),
        (463, None, 400, TokenDead),
        (467, None, 400, TokenDead),
        (506, None, 400, Unknown),
        (613, None, 400, RateLimited),
        (613, 1996, 400, RateLimited),
        (613, 1487742, 400, RateLimited),
        (613, 5044001, 400, RateLimited),
        (803, None, 404, DatasetBlocked),
        (960, None, 400, Transient),
        (1487390, None, 400, Unknown),
        (2500, None, 400, DatasetBlocked),
        (2635, None, 400, DatasetBlocked),
        (5000, None, 400, Transient),
        (21009, None, 400, Transient),
        (2044055, None, 400, DatasetBlocked),
        (79999, None, 400, Unknown),
        *[(code, None, 400, RateLimited) for code in (*range(80000, 80015), 80099)],
        (80000, 2446079, 400, RateLimited),
        (80004, 2446079, 400, RateLimited),
        (80100, None, 400, Unknown),
        (-1, None, 500, Transient),
        (-3, None, 500, Transient),
    ],
)
def test_a_graph_code_has_its_outcome(code: int, subcode: int | None, status: int, kind: type) -> None:
    assert type(outcome_of(error(code, subcode, status=status))) is kind


@pytest.mark.parametrize(
    "subcode",
    [
        *[2804001, 2804002, 2804003, 2804004, 2804005, 2804006, 2804007, 2804008, 2804009, 2804010],
        *[2804011, 2804015, 2804016, 2804017, 2804018, 2804019, 2804020, 2804023, 2804024, 2804030],
        *[2804036, 2804043, 2804048, 2804050, 2804061, 2804062, 2804063, 2804064, 2804066, 2804069],
        *[2804071, 2804079, 2804087, 2804116, 1815356],
    ],
)
def test_a_subcode_about_an_event_rejects_an_event(subcode: int) -> None:
    outcome = outcome_of(error(100, subcode))

    assert isinstance(outcome, EventRejected)


@pytest.mark.parametrize("subcode", [2804117, 2804131, 2804132])
def test_a_subcode_about_the_dataset_blocks_the_dataset(subcode: int) -> None:
    assert isinstance(outcome_of(error(100, subcode)), DatasetBlocked)


@pytest.mark.parametrize(
    ("code", "subcode", "scope"),
    [
        (4, None, "app"),
        (17, None, "app"),
        (341, None, "app"),
        (17, 2446079, "dataset"),
        (32, None, "dataset"),
        (613, None, "dataset"),
        (80004, 2446079, "dataset"),
    ],
)
def test_a_limit_hits_what_its_code_names(code: int, subcode: int | None, scope: str) -> None:
    outcome = outcome_of(error(code, subcode))

    assert isinstance(outcome, RateLimited)
    assert outcome.scope == scope


# --- bodies as Meta sends them


def test_success_delivers_and_keeps_the_trace() -> None:
    answer = answered(200, {"events_received": 1000, "messages": [], "fbtrace_id": "ATHEd8F7ddsITPV0fE5TWjY"})

    assert outcome_of(answer) == Delivered("ATHEd8F7ddsITPV0fE5TWjY", 0)


def test_success_without_messages_delivers() -> None:
    assert outcome_of(answered(200, {"events_received": 1000})) == Delivered(None, 0)


def test_fewer_received_than_sent_delivers_with_a_shortfall() -> None:
    assert outcome_of(answered(200, {"events_received": 990})) == Delivered(None, 10)


@pytest.mark.parametrize("received", [1001, 10**30])
def test_more_received_than_sent_delivers_without_a_shortfall(received: int) -> None:
    assert outcome_of(answered(200, {"events_received": received})) == Delivered(None, 0)


@pytest.mark.parametrize("received", [0, -1])
def test_nothing_received_is_in_doubt(received: int) -> None:
    outcome = outcome_of(answered(200, {"events_received": received, "fbtrace_id": "A1"}))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt
    assert outcome.detail.fbtrace_id == "A1"


@pytest.mark.parametrize("received", [True, "1000", 1000.0, None, [1000]])
def test_a_count_that_is_no_whole_number_is_no_success(received: object) -> None:
    outcome = outcome_of(answered(200, {"events_received": received}))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>ok</html>",
        b"Service Unavailable",
        b'{"events_received": 10',
        b"[]",
        b"1000",
        b"{}",
        b"\xff\xfe",
        b"null",
    ],
)
def test_a_200_that_is_no_success_is_in_doubt(body: bytes) -> None:
    outcome = outcome_of(answered(200, body))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt


def test_a_200_with_an_error_follows_the_error() -> None:
    body = {"events_received": 1000, "error": {"message": "expired", "code": 190}}

    assert isinstance(outcome_of(answered(200, body)), TokenDead)


def test_a_200_with_an_error_that_says_nothing_is_in_doubt() -> None:
    outcome = outcome_of(answered(200, {"events_received": 1000, "error": "oops"}))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt


def test_the_named_event_is_found_in_any_language() -> None:
    outcome = outcome_of(error(100, 2804019, error_user_msg="Clé inattendue « foo » sur « $['data'][17] »."))

    assert isinstance(outcome, EventRejected)
    assert outcome.index == 17


@pytest.mark.parametrize(
    ("message", "index"),
    [
        ("$['data'][0]['user_data'] is required", 0),
        ("$['data'][0]['custom_data']['contents'] must be an array", 0),
        ("Unexpected key \"name\" on param \"$['data'][3]['custom_data']['contents'][0]\"", 3),
        ("$['data'][999] is bad", 999),
        ("$['data'][1000] is beyond the batch", None),
        ("$['data'][99999999999999999999] is absurd", None),
        ("$['data'][-1]", None),
        ("$['data'] must be an array", None),
        ("events 17 and 18 are bad", None),
        ("", None),
        (None, None),
        (17, None),
    ],
)
def test_an_index_counts_only_inside_the_batch(message: object, index: int | None) -> None:
    outcome = outcome_of(error(100, 2804019, error_user_msg=message))

    assert isinstance(outcome, EventRejected)
    assert outcome.index == index


def test_a_rejection_keeps_code_title_and_trace() -> None:
    outcome = outcome_of(
        error(
            100, 2804003, is_transient=False, error_user_title="Event Timestamp Too Old", error_user_msg="<localised>"
        )
    )

    assert isinstance(outcome, EventRejected)
    detail = outcome.detail
    assert (detail.code, detail.subcode, detail.status) == (100, 2804003, 400)
    assert (detail.title, detail.fbtrace_id) == ("Event Timestamp Too Old", "ASrojb9Zf5r")


@pytest.mark.parametrize("pack", [lambda data: data, json.dumps], ids=["object", "text"])
def test_the_blamed_fields_are_read_from_an_object_or_its_text(pack: object) -> None:
    data = {"blame_field_specs": [["custom_data", "currency"], "odd", [1, "em"], []]}
    outcome = outcome_of(error(100, 2804010, error_data=pack(data) if callable(pack) else None))

    assert isinstance(outcome, EventRejected)
    assert outcome.detail.fields == ("custom_data.currency", "em")


@pytest.mark.parametrize("data", ["", "[", "[]", [], 7, {"blame_field_specs": "em"}, {"blame_field_specs": None}])
def test_odd_error_data_blames_nothing(data: object) -> None:
    outcome = outcome_of(error(100, 2804010, error_data=data))

    assert isinstance(outcome, EventRejected)
    assert outcome.detail.fields == ()


@pytest.mark.parametrize("code", [100, 5, 999_999, 10, 190])
def test_what_meta_calls_transient_is_tried_again(code: int) -> None:
    assert isinstance(outcome_of(error(code, is_transient=True)), Transient)


def test_a_limit_that_is_called_transient_stays_a_limit() -> None:
    outcome = outcome_of(error(4, status=403, is_transient=True, message="(#4) Application request limit reached"))

    assert isinstance(outcome, RateLimited)


def test_only_a_true_is_transient_counts() -> None:
    assert isinstance(outcome_of(error(100, 2804003, is_transient="true")), EventRejected)


def test_a_title_falls_back_to_the_message_and_the_status() -> None:
    with_message = outcome_of(error(10, message="(#10) permission"))
    with_nothing = outcome_of(answered(404, b"<html>"))

    assert isinstance(with_message, DatasetBlocked)
    assert isinstance(with_nothing, DatasetBlocked)
    assert (with_message.detail.title, with_nothing.detail.title) == ("(#10) permission", "HTTP 404")


def test_a_title_is_made_safe_to_keep() -> None:
    title = "\x1b[31mtoken EAABsb1 of\nanna@shop.example " + "ab" * 32 + " \u202e" + "x" * 500
    outcome = outcome_of(error(10, error_user_title=title))

    assert isinstance(outcome, DatasetBlocked)
    assert outcome.detail.title.startswith("[31mtoken *** of *** *** xxx")
    assert len(outcome.detail.title) == 200


@pytest.mark.parametrize("trace", [7, "", "a b", "x" * 65, "\x1b[31m", None])
def test_an_odd_trace_id_is_left_out(trace: object) -> None:
    outcome = outcome_of(answered(200, {"events_received": 1000, "fbtrace_id": trace}))

    assert outcome == Delivered(None, 0)


def test_the_trace_id_of_an_answer_without_a_body_is_in_its_headers() -> None:
    outcome = outcome_of(answered(502, b"", x_fb_trace_id="D1x"))

    assert isinstance(outcome, Transient)
    assert outcome.detail.fbtrace_id == "D1x"


# --- what the status says where the body says nothing


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b'{"error": {"message": "x"', b'{"error": {"code": 999999}}']
)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_server_error_is_transient_and_in_doubt(status: int, body: bytes) -> None:
    outcome = outcome_of(answered(status, body))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, Transient),
        (425, Transient),
        (429, RateLimited),
        (401, DatasetBlocked),
        (403, DatasetBlocked),
        (404, DatasetBlocked),
        (413, TooLarge),
        (400, Unknown),
        (405, Unknown),
        (418, Unknown),
        (301, DatasetBlocked),
        (302, DatasetBlocked),
        (307, DatasetBlocked),
        (308, DatasetBlocked),
        (100, Transient),
        (999, Transient),
    ],
)
def test_a_status_without_json_has_its_outcome(status: int, kind: type) -> None:
    assert type(outcome_of(answered(status, b"<html>"))) is kind


def test_a_refusal_with_an_unknown_code_is_unknown_whatever_the_status() -> None:
    kinds = {type(outcome_of(error(999_999, status=status))) for status in (400, 401, 403, 404, 422)}

    assert kinds == {Unknown}


def test_too_large_counts_before_the_body() -> None:
    assert isinstance(outcome_of(error(1, status=413)), TooLarge)


@pytest.mark.parametrize("code", [1, 2, 21009])
def test_a_passing_fault_with_a_4xx_was_not_taken(code: int) -> None:
    outcome = outcome_of(error(code, status=400))

    assert isinstance(outcome, Transient)
    assert not outcome.in_doubt


# --- waiting times


def limited(**headers: str) -> RateLimited:
    outcome = outcome_of(answered(400, {"error": {"code": 80004, "error_subcode": 2446079}}, **headers))
    assert isinstance(outcome, RateLimited)
    return outcome


def test_the_regain_estimate_is_in_minutes() -> None:
    usage = {"123": [{"type": "ads_management", "call_count": 100, "estimated_time_to_regain_access": 19}]}

    assert limited(x_business_use_case_usage=json.dumps(usage)).seconds == 19 * 60


def test_the_accounts_reset_time_is_in_seconds() -> None:
    usage = {"acc_id_util_pct": 100.0, "reset_time_duration": 100, "ads_api_access_tier": "standard_access"}

    assert limited(x_ad_account_usage=json.dumps(usage)).seconds == 100


def test_a_limit_without_any_hint_says_so() -> None:
    assert limited().seconds is None


def test_a_custom_limit_without_a_hint_waits_five_minutes() -> None:
    outcome = outcome_of(error(613))

    assert isinstance(outcome, RateLimited)
    assert outcome.seconds == 300


def test_a_429_honours_retry_after() -> None:
    outcome = outcome_of(answered(429, b"slow down", retry_after="7"))

    assert isinstance(outcome, RateLimited)
    assert outcome.seconds == 7


def test_a_503_keeps_its_retry_after() -> None:
    outcome = outcome_of(answered(503, b"", retry_after="7"))

    assert isinstance(outcome, Transient)
    assert outcome.seconds == 7


@pytest.mark.parametrize(
    ("header", "value", "scope"),
    [
        ("x_app_usage", {"call_count": 97}, "app"),
        ("x_ad_account_usage", {"acc_id_util_pct": 95}, "dataset"),
        ("x_business_use_case_usage", {"1": [{"total_time": 100}]}, "dataset"),
    ],
)
def test_a_refusal_of_unknown_cause_at_the_limit_is_the_limit(header: str, value: object, scope: str) -> None:
    outcome = outcome_of(answered(400, {"error": {"code": 999_999}}, **{header: json.dumps(value)}))

    assert isinstance(outcome, RateLimited)
    assert outcome.scope == scope


def test_usage_at_the_limit_does_not_undo_a_success() -> None:
    outcome = outcome_of(answered(200, {"events_received": 1000}, x_app_usage='{"call_count": 100}'))

    assert outcome == Delivered(None, 0)


# --- no answer


def test_what_was_not_sent_is_local_trouble() -> None:
    assert outcome_of(NotSent("connection refused")) == LocalTrouble("connection refused")


def test_what_broke_after_sending_is_in_doubt() -> None:
    outcome = outcome_of(InDoubt("no answer in time"))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt
    assert outcome.detail.title == "no answer in time"


# --- whatever comes

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=20,
)
error_keys = ["message", "code", "error_subcode", "is_transient", "error_user_title", "error_user_msg", "error_data"]
errors = st.dictionaries(st.sampled_from([*error_keys, "fbtrace_id"]), json_values)
bodies = st.one_of(
    st.binary(),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional={"error": errors | json_values, "events_received": json_values}).map(
        lambda value: json.dumps(value).encode()
    ),
)
header_names = [
    "x-app-usage",
    "x-ad-account-usage",
    "x-business-use-case-usage",
    "retry-after",
    "date",
    "x-fb-trace-id",
]
headers = st.dictionaries(st.sampled_from(header_names), st.text() | json_values.map(json.dumps))


@given(st.integers(), headers, bodies, st.integers(min_value=0, max_value=1000))
def test_any_answer_has_an_outcome_of_the_closed_set(
    status: int, headers: dict[str, str], body: bytes, sent: int
) -> None:
    assert isinstance(classify(Response(status, headers, body), sent), CLOSED_SET)


@given(st.integers(min_value=100, max_value=599), headers, bodies)
def test_delivered_needs_a_2xx_and_a_positive_count(status: int, headers: dict[str, str], body: bytes) -> None:
    outcome = classify(Response(status, headers, body), 10)

    if isinstance(outcome, Delivered):
        assert 200 <= status < 300
        assert json.loads(body)["events_received"] > 0
        assert 0 <= outcome.shortfall < 10


@given(st.integers(min_value=-(10**12), max_value=10**12), st.none() | st.integers(), st.integers(100, 599))
def test_any_code_has_an_outcome(code: int, subcode: int | None, status: int) -> None:
    assert isinstance(outcome_of(error(code, subcode, status=status)), CLOSED_SET)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"error":{"code":' + b"9" * 5000 + b"}}", b'{"events_received":1e999}'],
)
def test_a_hostile_body_is_only_unreadable(body: bytes) -> None:
    outcome = outcome_of(answered(200, body))

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt
