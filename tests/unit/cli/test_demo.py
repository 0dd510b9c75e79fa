import time
from typing import Any

import pytest

from capi_relay.personal import protect
from schemas import event_window, problems_of
from worker.cli import sample_events
from worker.cli.demo import disagreements
from worker.dead_letters import DeadLetter
from worker.store import DatasetCounts


def verdict(event: dict[str, Any]) -> str:
    if problems_of(protect(event)[0]):
        return "invalid"
    return event_window(event["event_time"], event["action_source"], time.time())


def test_the_good_sample_events_are_good() -> None:
    assert {verdict(event) for event in sample_events.good(300, seed=1)} == {"ok"}


def test_the_sample_events_of_a_dataset_have_an_id_each() -> None:
    events = [*sample_events.good(300, seed=1), *sample_events.bad()]

    assert len({event["event_id"] for event in events}) == len(events)


def test_the_bad_sample_events_go_wrong_in_different_ways() -> None:
    assert [verdict(event) for event in sample_events.bad()] == ["invalid", "invalid", "invalid", "too_old", "ok"]


def test_only_a_stricter_clock_than_ours_refuses_the_last_of_them() -> None:
    assert sample_events.bad()[-1]["event_time"] > time.time() + 30


GOOD = {"1": 3}


def counts(delivered: int = 3, stored: int = 0) -> DatasetCounts:
    counters = {"enqueued": 8, "delivered": delivered, "invalid": 5}
    doors = {"delivered": delivered, "invalid": 5}
    return DatasetCounts("1", 0, counters, stored, 0, None, 5, None, 0, doors)


def letters(*reasons: str) -> list[DeadLetter]:
    now = "2025-11-24T16:00:00+00:00"
    return [DeadLetter("1-0", "1", "", "", reason, None, None, None, 0, now, now, "", "") for reason in reasons]


LETTERS = letters("invalid", "invalid", "invalid", "expired", "rejected")


def ledger(events: int = 3, duplicates: int = 0) -> dict[str, Any]:
    return {"datasets": {"1": {"events": events, "requests": 1}}, "duplicates": duplicates}


def test_numbers_that_agree_are_no_problem() -> None:
    assert disagreements(GOOD, [counts()], LETTERS, ledger()) == []


@pytest.mark.parametrize(
    ("found", "dead", "account", "problem"),
    [
        (counts(), LETTERS, ledger(events=2), "the simulator that it took 2"),
        (counts(delivered=2), LETTERS, ledger(), "it delivered 2"),
        (counts(stored=1), LETTERS, ledger(), "-1 events are unaccounted for"),
        (counts(), LETTERS[1:], ledger(), "the dead letters should be"),
        (counts(), LETTERS, ledger(duplicates=1), "1 events twice"),
        (counts(), LETTERS, {"datasets": {}, "duplicates": 0}, "the simulator that it took 0"),
    ],
)
def test_numbers_that_disagree_are_told(
    found: DatasetCounts, dead: list[DeadLetter], account: dict[str, Any], problem: str
) -> None:
    assert problem in "\n".join(disagreements(GOOD, [found], dead, account))
