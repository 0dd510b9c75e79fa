import io

import pytest
from rich.console import Console

from worker.cli.watch import fitting
from worker.cli.watch_view import Rates, Reading, by_attention, short, state_of, totals_of, view_of
from worker.dead_groups import Cause, Group
from worker.store import DOORS, DatasetCounts, Pause

NOW = 1_764_000_000_000
HOUR = 3600


def counts(
    dataset_id: str, *, stored: int = 0, age_seconds: int = 0, dead: int = 0, pause: Pause | None = None
) -> DatasetCounts:
    counters = {"enqueued": 1_234_567, "delivered": 1_234_000, "fresh": 1_233_999}
    return DatasetCounts(
        dataset_id=dataset_id,
        now_ms=NOW,
        counters=counters,
        stored=stored,
        in_flight=min(stored, 6),
        oldest_ms=NOW - age_seconds * 1000 if stored else None,
        dead_letters=dead,
        pause=pause,
        doors={door: counters.get(door, 0) for door in DOORS},
    )


def reading(*found: DatasetCounts, trouble: str = "", causes: tuple[Group, ...] = ()) -> Reading:
    rates = {each.dataset_id: 1_500 for each in found}
    return Reading(found, rates, totals_of(found), causes, 100, "2026-11-22 12:00:00 UTC", 0.12, trouble)


def shown(told: Reading, *, rows: int = 50, width: int = 80) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(view_of(told, rows=rows, freshness_seconds=HOUR))
    return text.getvalue()


PAUSED = counts("5", stored=9, pause=Pause("token", NOW + 90_000, code="190"))


def test_what_needs_attention_comes_first() -> None:
    behind = counts("2", stored=1, age_seconds=HOUR + 1)
    older = counts("1", stored=1, age_seconds=2 * HOUR)
    paused_empty = counts("6", pause=Pause("manual", None))
    dead, busy, idle = counts("3", dead=1), counts("0", stored=500), counts("4")
    found = by_attention([idle, busy, dead, paused_empty, behind, older, PAUSED], freshness_seconds=HOUR)

    assert [each.dataset_id for each in found] == ["5", "1", "2", "6", "3", "0", "4"]


def test_the_rate_is_of_the_last_minute() -> None:
    rates = Rates()
    assert rates.per_minute("1", NOW, 100) is None
    for seconds in range(0, 121, 2):
        rates.add(NOW + seconds * 1000, {"1": seconds * 10})

    assert rates.per_minute("1", NOW + 120_000, 1200) == 600
    assert len(rates._seen) < 20


def test_a_dataset_that_is_new_and_counters_that_were_lost_have_no_negative_rate() -> None:
    rates = Rates()
    rates.add(NOW, {"1": 1000})

    assert rates.per_minute("1", NOW + 30_000, 10) == 0
    assert rates.per_minute("new", NOW + 30_000, 10) == 20


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (-1, "0s"), (59.9, "59s"), (60, "1m00s"), (9960, "2h46m"), (3 * 86_400 + 7200, "3d2h")],
)
def test_a_duration_takes_six_characters_at_most(seconds: float | None, text: str) -> None:
    assert short(seconds) == text
    assert len(short(seconds)) <= 6


def test_a_state_says_why_a_dataset_is_paused_and_for_how_long() -> None:
    assert state_of(PAUSED, freshness_seconds=HOUR) == "token 1m30s"
    assert state_of(counts("1", pause=Pause("manual", None)), freshness_seconds=HOUR) == "manual"
    assert state_of(counts("1", stored=1, age_seconds=HOUR + 1), freshness_seconds=HOUR) == "behind"
    assert state_of(counts("1"), freshness_seconds=HOUR) == "idle"


def test_no_line_is_wider_than_80_columns_and_no_number_is_cut() -> None:
    long = counts("123456789012345", stored=1_234_567, age_seconds=9960, dead=9_999, pause=PAUSED.pause)
    said = shown(reading(long, counts("2")))
    (row,) = (line for line in said.splitlines() if line.startswith("123456789012345 "))

    assert max(map(len, said.splitlines())) <= 80
    assert " ".join(row.split()) == "123456789012345 1,234,561 6 2h46m 1,500 99.9 % 9,999 token 1m30s"


def test_what_does_not_fit_is_counted() -> None:
    assert "and 9,980 more" in shown(reading(*(counts(str(number)) for number in range(10_000))), rows=20)


def test_a_window_is_never_overfull() -> None:
    told = reading(PAUSED, *(counts(str(number)) for number in range(500)))
    for height in (12, 24, 60):
        console = Console(file=io.StringIO(), width=80, height=height)
        lines = console.render_lines(fitting(told, console, HOUR), pad=False)

        assert height - 2 <= len(lines) <= height


def test_datasets_with_one_reason_are_explained_once() -> None:
    paused = [counts(str(number), stored=1, pause=PAUSED.pause) for number in range(5)]
    said = " ".join(shown(reading(*paused)).split())

    assert said.count("Generate a new token") == 1
    assert "0, 1 and 3 more: token, the next try in 1 min 30 s." in said


def test_causes_of_dead_letters_are_told_with_their_share() -> None:
    cause = Cause("rejected", 100, 2804016, (("user_data.ct", "not_sha256"),))
    group = Group(cause, 97, "", "", "", "", "")

    assert "97  rejected 100/2804016: user_data.ct not_sha256" in shown(reading(counts("1", dead=97), causes=(group,)))


def test_numbers_that_are_not_of_now_say_so() -> None:
    assert "Not of now: it is away" in shown(reading(counts("1"), trouble="Not of now: it is away"))


def test_no_dataset_is_told_in_words() -> None:
    assert "no dataset yet" in shown(reading())
