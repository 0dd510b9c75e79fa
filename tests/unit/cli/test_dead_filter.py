import pytest

from schemas import Problem
from worker.cli.dead_filter import Filter, moment_ms
from worker.dead_letters import read_letter, record_of
from worker.store import StoredDeadLetter

AT = 1_764_000_000_000
RECORD = record_of(
    reason="rejected",
    event={"event_name": "Purchase"},
    enqueued_ms=AT,
    attempts=1,
    code=100,
    subcode=2804016,
    fields=[Problem("user_data.em[1]", "not_sha256", "it is no digest")],
)
LETTER = StoredDeadLetter(f"{AT}-0", "1", b"{}", b"", RECORD.encode())


@pytest.mark.parametrize(
    ("where", "taken"),
    [
        (Filter(), True),
        (Filter(reason="rejected"), True),
        (Filter(reason="invalid"), False),
        (Filter(code="100"), True),
        (Filter(code="2804016"), True),
        (Filter(code="not_sha256"), True),
        (Filter(code="28"), False),
        (Filter(event_name="Purchase"), True),
        (Filter(event_name="purchase"), False),
        (Filter(since_ms=AT), True),
        (Filter(since_ms=AT + 1), False),
        (Filter(until_ms=AT), False),
        (Filter(until_ms=AT + 1), True),
        (Filter(field="user_data.em"), True),
        (Filter(field="user_data"), True),
        (Filter(field="user_data.em[0]"), True),
        (Filter(field="user_data.e"), False),
        (Filter(code="100", field="user_data.ph"), False),
    ],
)
def test_all_conditions_must_hold(where: Filter, *, taken: bool) -> None:
    assert where.takes(LETTER, read_letter(LETTER)) is taken


def test_no_condition_is_none() -> None:
    assert not Filter().given
    assert Filter(code="1").given


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2h", AT - 7_200_000),
        ("30m", AT - 1_800_000),
        ("7d", AT - 604_800_000),
        ("2025-11-24T16:00:00", AT),
        ("2025-11-24T17:00:00+01:00", AT),
        ("2025-11-24", AT - 16 * 3_600_000),
    ],
)
def test_a_moment_is_a_time_or_how_long_ago(text: str, ms: int) -> None:
    assert moment_ms(text, now_seconds=AT / 1000) == ms


@pytest.mark.parametrize("text", ["", "soon", "2", "2w", "-2h"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moment_ms(text, now_seconds=AT / 1000)
