import pytest

from worker.cli.counts import equation_of, paused_of, share_within_hour, status_of, totals_of
from worker.store import DOORS, DatasetCounts, Pause

CONTRACT = {
    *("enqueued", "waiting", "in_flight", "delivered", "fresh", "late", "doors", "dead_letters", "replayed", "foreign"),
    *("possible_duplicates", "oldest_age_seconds", "paused"),
}


COUNTERS = {
    "enqueued": 10,
    "replayed": 1,
    "foreign": 2,
    "requests": 3,
    "delivered": 5,
    "fresh": 3,
    "late": 2,
    "born_late": 1,
    "invalid": 1,
}


def counts(dataset_id: str = "123", *, stored: int = 8, oldest_ms: int | None = 1_764_000_000_000) -> DatasetCounts:
    return DatasetCounts(
        dataset_id=dataset_id,
        now_ms=1_764_000_005_500,
        counters=COUNTERS,
        stored=stored,
        in_flight=6,
        oldest_ms=oldest_ms,
        dead_letters=1,
        pause=None,
        unseen_foreign=1,
        doors={door: COUNTERS.get(door, 0) for door in DOORS},
    )


def test_status_has_every_key_of_its_contract() -> None:
    assert status_of(counts()).keys() >= CONTRACT


def test_what_is_in_flight_does_not_wait() -> None:
    status = status_of(counts())

    assert (status["waiting"], status["in_flight"]) == (2, 6)


def test_foreign_events_that_no_worker_has_seen_yet_are_counted() -> None:
    assert status_of(counts())["foreign"] == 3


def test_the_oldest_age_is_in_seconds() -> None:
    assert status_of(counts())["oldest_age_seconds"] == 5.5


def test_nothing_stored_has_no_age() -> None:
    assert status_of(counts(oldest_ms=None))["oldest_age_seconds"] is None


def test_what_was_late_before_it_was_enqueued_does_not_count_against_the_share() -> None:
    assert share_within_hour({"delivered": 5, "fresh": 3, "born_late": 1}) == 0.75


@pytest.mark.parametrize("counters", [{}, {"delivered": 4, "late": 4, "born_late": 4}])
def test_without_any_event_that_could_be_fresh_there_is_no_share(counters: dict[str, int]) -> None:
    assert share_within_hour(counters) is None


def test_the_totals_are_the_sums() -> None:
    totals = totals_of([counts("1"), counts("2", oldest_ms=None)])

    assert (totals["enqueued"], totals["waiting"], totals["doors"]["invalid"], totals["requests"]) == (20, 4, 2, 6)
    assert (totals["oldest_age_seconds"], totals["share_within_hour"]) == (5.5, 0.75)


def test_the_totals_of_nothing_are_zero() -> None:
    totals = totals_of([])

    assert (totals["enqueued"], totals["oldest_age_seconds"], totals["share_within_hour"]) == (0, None, None)


def test_a_balanced_equation_leaves_nothing_unaccounted() -> None:
    equation = equation_of(counts())
    came = equation["enqueued"] + equation["replayed"] + equation["foreign"]

    assert came == equation["waiting"] + equation["in_flight"] + equation["doors"]
    assert equation["unaccounted"] == 0


def test_a_missing_event_is_unaccounted() -> None:
    assert equation_of(counts(stored=7))["unaccounted"] == 1


@pytest.mark.parametrize(
    ("pause", "told"),
    [
        (Pause("no_token", None, detail="no token"), {"reason": "no_token", "until": None}),
        (Pause("manual", None, detail="sale"), {"reason": "manual: sale", "until": None}),
        (Pause("manual", 1_764_000_000_000), {"reason": "manual", "until": "2025-11-24T16:00:00.000+00:00"}),
    ],
)
def test_a_pause_says_why_and_until_when(pause: Pause, told: dict[str, str | None]) -> None:
    assert paused_of(pause) == told
