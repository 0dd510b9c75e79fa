import pytest

from schemas import Problem
from worker.dead_groups import Cause, grouped
from worker.dead_letters import DeadLetter, read_letter, record_of
from worker.dead_verdict import forecast, verdict_of
from worker.store import StoredDeadLetter

START = 1_764_000_000_000
NOW = 1_764_000_000


def stored(
    number: int,
    *fields: Problem,
    reason: str = "invalid",
    code: int | None = None,
    subcode: int | None = None,
    dataset_id: str = "1",
    event: bytes = b"{}",
) -> StoredDeadLetter:
    record = record_of(
        reason=reason, event=None, enqueued_ms=START, attempts=0, code=code, subcode=subcode, fields=fields
    )
    return StoredDeadLetter(f"{START + number * 1000}-0", dataset_id, event, b"", record.encode())


def both(*letters: StoredDeadLetter) -> list[tuple[StoredDeadLetter, DeadLetter]]:
    return [(each, read_letter(each)) for each in letters]


def wrong(path: str, code: str = "not_sha256") -> Problem:
    return Problem(path, code, "it is no digest")


def test_letters_with_the_same_rule_broken_in_the_same_field_are_one_group() -> None:
    letters = both(
        stored(5, wrong("user_data.ct"), dataset_id="2"),
        stored(1, wrong("user_data.ct")),
        stored(3, wrong("user_data.em")),
    )
    (first, second), others = grouped(letters)

    assert (first.cause.label, first.events, first.datasets) == (
        "invalid: user_data.ct not_sha256",
        2,
        {"1", "2"},
    )
    assert (first.first_at[11:19], first.last_at[11:19]) == ("16:00:01", "16:00:05")
    assert (second.events, second.example, others) == (1, f"{START + 3000}-0", 0)
    assert "user_data.ct: it is no digest" in first.text
    assert "Correct the fields" in first.fix


def test_the_place_in_a_list_makes_no_group_of_its_own() -> None:
    (group,), _ = grouped(both(stored(1, wrong("user_data.em[0]")), stored(2, wrong("user_data.em[7]"))))

    assert group.cause.fields == (("user_data.em[]", "not_sha256"),)


def test_what_meta_refused_is_grouped_by_its_codes() -> None:
    letters = both(*(stored(number, reason="rejected", code=100, subcode=2804016) for number in range(3)))
    (group,), _ = grouped(letters)

    assert (group.cause.label, group.events) == ("rejected 100/2804016", 3)


def test_a_key_that_is_an_address_is_masked() -> None:
    (group,), _ = grouped(both(stored(1, wrong("ada@example.com", "unknown_key"))))

    assert "ada" not in str(group.as_json())


def test_many_problems_are_named_by_the_first_three() -> None:
    (group,), _ = grouped(both(stored(1, *(wrong(f"user_data.{key}") for key in ("em", "fn", "ln", "ct")))))

    assert len(group.cause.fields) == 3


def test_the_memory_is_bounded_however_many_causes_there_are() -> None:
    groups, others = grouped(both(*(stored(number, wrong(f"key{number}")) for number in range(1200))))

    assert (len(groups), others) == (1000, 200)


def test_a_label_has_what_there_is() -> None:
    assert Cause("crashed").label == "crashed"
    assert Cause("rejected", 100).label == "rejected 100"


def event(**others: object) -> bytes:
    fields = {
        "event_name": "Lead",
        "event_time": NOW,
        "action_source": "system_generated",
        "user_data": {"external_id": "a" * 64},
        **others,
    }
    return repr(fields).replace("'", '"').encode()


@pytest.mark.parametrize(
    ("event_bytes", "door", "code"),
    [
        (event(), "", ""),
        (event(event_time=NOW - 8 * 86_400), "expired", ""),
        (event(event_time=NOW - 8 * 86_400, action_source="physical_store"), "", ""),
        (event(event_time=NOW + 3600), "invalid", "in_the_future"),
        (event(shop="north"), "invalid", "unknown_key"),
        (b"\xff", "undecodable", ""),
    ],
)
def test_a_verdict_is_what_a_worker_would_say_now(event_bytes: bytes, door: str, code: str) -> None:
    verdict = verdict_of(event_bytes, now_seconds=NOW)

    assert verdict.door == door
    assert [problem.code for problem in verdict.problems] == ([code] if code else [])


def test_a_forecast_counts_what_would_be_taken_and_why_the_rest_would_not() -> None:
    letters = [stored(1, event=each) for each in (event(), event(shop="a"), event(shop="b"), b"\xff")]

    assert forecast(letters, now_seconds=NOW).as_json() == {
        "acceptable": 1,
        "refused": [
            {"reason": "invalid", "fields": [{"path": "shop", "code": "unknown_key"}], "events": 2},
            {"reason": "undecodable", "fields": [], "events": 1},
        ],
    }
