from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.times import event_time

NOW = 1_800_000_000.75
MOMENT = 1_700_000_000
ISO = "2023-11-14T22:13:20"
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.integers().map(str)
    | st.datetimes().map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.datetimes(timezones=st.just(UTC) | st.none())
    | st.lists(st.integers())
)


def coerced(value: object) -> Any:  # noqa: ANN401 - as it may be anything
    return event_time(value, coerce=True, now=NOW)[0]


def plain(value: object) -> Any:  # noqa: ANN401 - as it may be anything
    return event_time(value, coerce=False, now=NOW)


@given(value=VALUES, coerce=st.booleans())
def test_any_value_becomes_an_integer_or_stays_what_it_is(value: object, coerce: bool) -> None:  # noqa: FBT001 - drawn
    found, _ = event_time(value, coerce=coerce, now=NOW)

    assert type(found) is int or found is value


@given(value=VALUES, coerce=st.booleans())
def test_doing_it_twice_changes_nothing(value: object, coerce: bool) -> None:  # noqa: FBT001 - drawn
    once, _ = event_time(value, coerce=coerce, now=NOW)

    again, _ = event_time(once, coerce=coerce, now=NOW)

    assert again is once or again == once  # NaN is not equal to itself


@given(value=VALUES)
def test_a_warning_never_holds_the_value(value: object) -> None:
    _, warning = event_time(value, coerce=True, now=NOW)

    assert warning is None or len(str(value)) < 4 or str(value) not in warning


def test_an_event_without_a_time_is_of_now() -> None:
    assert plain(None) == (1_800_000_000, None)


@pytest.mark.parametrize("value", ["1700000000", " 1700000000\n", 1_700_000_000.0], ids=repr)
def test_the_same_number_in_another_form_becomes_an_integer_without_a_word(value: object) -> None:
    assert plain(value) == (MOMENT, None)


@pytest.mark.parametrize("value", ["1700000000000", 1_700_000_000_000], ids=repr)
def test_milliseconds_are_only_made_a_number_so_that_the_schema_can_name_them(value: object) -> None:
    assert plain(value) == (1_700_000_000_000, None)


@pytest.mark.parametrize(
    "value",
    [ISO, f"{ISO}Z", 1_700_000_000.5, datetime(2023, 11, 14, tzinfo=UTC), True, [MOMENT], "tomorrow", "१७०००००००००"],
)
def test_what_must_be_interpreted_stays_as_it_is_without_coerce_times(value: object) -> None:
    assert plain(value) == (value, None)


@pytest.mark.parametrize(
    "value",
    [
        1_700_000_000_123,
        "1700000000123",
        1_700_000_000_123.4,
        1_700_000_000.9,
        Decimal("1700000000.9"),
        f"{ISO}Z",
        f"{ISO}.5Z",
        "2023-11-14 23:13:20+01:00",
        "2023-11-14T16:13:20-0600",
        datetime(2023, 11, 14, 23, 13, 20, tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=repr,
)
def test_coerce_times_reads_them_and_says_so(value: object) -> None:
    found, warning = event_time(value, coerce=True, now=NOW)

    assert (found, warning is not None) == (MOMENT, True)


@pytest.mark.parametrize("value", [ISO, datetime(2023, 11, 14, 22, 13, 20)])  # noqa: DTZ001 - without a zone on purpose
def test_a_time_without_a_zone_is_read_as_utc_and_the_warning_says_it(value: object) -> None:
    found, warning = event_time(value, coerce=True, now=NOW)

    assert found == MOMENT
    assert "UTC" in str(warning)


@pytest.mark.parametrize(
    "value",
    [
        "2023-11-14",
        "2023-02-30T00:00:00Z",
        "14.11.2023 22:13",
        "20231114T221320Z",
        True,
        False,
        float("nan"),
        float("inf"),
        Decimal("sNaN"),
        Decimal("1E+999999"),
        10**400,
        -1.5,
        1_700_000_000_123_456,
        {"seconds": MOMENT},
    ],
    ids=repr,
)
def test_what_is_no_time_of_ours_is_left_to_the_schema(value: object) -> None:
    assert coerced(value) is value


def test_a_date_alone_is_not_made_midnight() -> None:
    assert coerced("2023-11-14") == "2023-11-14"


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - hypothesis adds the zone
def test_an_iso_time_is_the_second_it_names(moment: datetime) -> None:
    assert coerced(moment.isoformat()) == int(moment.timestamp())


@given(st.integers(10**8, 10**11 - 1))
def test_milliseconds_are_the_second_they_fall_in(seconds: int) -> None:
    assert coerced(seconds * 1000 + 999) == seconds
