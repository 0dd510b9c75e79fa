import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.usage import retry_after_seconds, usage_of, wait_seconds

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


def business(**entry: object) -> dict[str, str]:
    return {"x-business-use-case-usage": json.dumps({"123": [{"type": "ads_management"} | entry]})}


def account(**entry: object) -> dict[str, str]:
    return {"x-ad-account-usage": json.dumps(entry)}


@pytest.mark.parametrize(
    ("headers", "percent"),
    [
        ({}, 0),
        ({"x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}, 28),
        ({"x-app-usage": '{"call_count":28,"total_time":97.5,"total_cputime":25}'}, 97.5),
        ({"x-app-usage": '{"call_count":0}'}, 0),
        (account(acc_id_util_pct=9.67, reset_time_duration=100), 9.67),
        (business(call_count=1, total_cputime=2, total_time=3, estimated_time_to_regain_access=50), 3),
        ({"x-app-usage": '{"call_count":28}'} | account(acc_id_util_pct=96) | business(call_count=40), 96),
        ({"x-business-use-case-usage": '{"1":[{"call_count":5}],"2":[{"call_count":7},{"call_count":6}]}'}, 7),
    ],
)
def test_the_highest_use_of_any_limit_counts(headers: dict[str, str], percent: float | None) -> None:
    assert usage_of(headers).percent == percent


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ({}, "dataset"),
        ({"x-app-usage": '{"call_count":80}'} | account(acc_id_util_pct=60), "app"),
        ({"x-app-usage": '{"call_count":60}'} | account(acc_id_util_pct=80), "dataset"),
        ({"x-app-usage": '{"call_count":96}'} | account(acc_id_util_pct=99), "app"),
        ({"x-app-usage": '{"call_count":60}'} | business(call_count=97), "dataset"),
    ],
)
def test_the_limit_that_is_used_most_says_whom_it_concerns(headers: dict[str, str], scope: str) -> None:
    assert usage_of(headers).scope == scope


@pytest.mark.parametrize(("percent", "stop"), [(0, False), (94.9, False), (95, True), (1000, True)])
def test_the_limit_is_met_at_95_percent(percent: float, stop: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    assert usage_of(account(acc_id_util_pct=percent)).at_the_limit is stop


@pytest.mark.parametrize(
    "value", ["", "{", "[]", "7", '"x"', '{"call_count":"97"}', '{"call_count":true}', '{"call_count":1e999}']
)
@pytest.mark.parametrize("name", ["x-app-usage", "x-ad-account-usage", "x-business-use-case-usage"])
def test_an_odd_usage_header_says_nothing(name: str, value: str) -> None:
    assert usage_of({name: value}).percent == 0
    assert wait_seconds({name: value}) is None


@pytest.mark.parametrize(
    ("minutes", "seconds"),
    [
        (19, 1140),
        (0.5, 30),
        (0.001, 1),
        (60, 3600),
        (10**9, 3600),
        (10**400, None),
        (0, None),
        (-5, None),
        ("19", None),
    ],
    ids=str,
)
def test_the_regain_estimate_is_clamped_to_an_hour(minutes: object, seconds: float | None) -> None:
    assert wait_seconds(business(estimated_time_to_regain_access=minutes)) == seconds


@pytest.mark.parametrize(("percent", "seconds"), [(100, 300), (95, 300), (94.9, None), (None, None)])
def test_the_accounts_reset_time_is_a_wait_only_at_the_limit(percent: float | None, seconds: float | None) -> None:
    assert wait_seconds(account(acc_id_util_pct=percent, reset_time_duration=300)) == seconds


def test_the_longest_wait_counts() -> None:
    headers = business(estimated_time_to_regain_access=2) | account(acc_id_util_pct=99, reset_time_duration=90)

    assert wait_seconds(headers | {"retry-after": "60"}) == 120


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", 1),
        ("1000000000", 900),
        ("99999999999999999999", 900),
        ("Sun, 22 Nov 2026 12:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 1),
        ("Sun, 22 Nov 2099 12:00:00 GMT", 900),
        ("soon", None),
        ("", None),
        ("5, 5", None),
        ("1e3", None),
        ("\u0667", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_is_clamped(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value, "date": DATE}) == seconds


def test_a_retry_date_without_the_answers_own_date_says_nothing() -> None:
    assert retry_after_seconds({"retry-after": DATE}) is None


@given(st.text(), st.text())
def test_no_text_in_these_headers_raises(retry_after: str, date: str) -> None:
    seconds = retry_after_seconds({"retry-after": retry_after, "date": date})

    assert seconds is None or 1 <= seconds <= 900


numbers = st.from_regex(
    r"\A(Mon|Tue)?,? ?[0-9]{0,5} (Jan|Feb|xyz) [0-9]{0,6} [0-9:]{0,12} ?(GMT|-0000|[+-][0-9]{2,12})?\Z"
)


@given(numbers, numbers)
def test_no_almost_date_raises(retry_after: str, date: str) -> None:
    seconds = retry_after_seconds({"retry-after": retry_after, "date": date})

    assert seconds is None or 1 <= seconds <= 900
