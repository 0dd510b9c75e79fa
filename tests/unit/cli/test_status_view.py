import io

from rich.console import Console

from worker.cli.status import view_of
from worker.quality import Quality, quality_of
from worker.store import DOORS, DatasetCounts, Pause

MILLION = 1_234_567


def shown(*found: DatasetCounts, width: int = 80, qualities: dict[str, Quality] | None = None) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(view_of(found, qualities))
    return text.getvalue()


def counts(dataset_id: str, pause: Pause | None = None) -> DatasetCounts:
    counters = {"enqueued": MILLION, "delivered": MILLION, "fresh": MILLION, "rejected": 7}
    return DatasetCounts(
        dataset_id=dataset_id,
        now_ms=1_764_000_000_000,
        counters=counters,
        stored=8,
        in_flight=6,
        oldest_ms=1_763_990_000_000,
        dead_letters=7,
        pause=pause,
        doors={door: counters.get(door, 0) for door in DOORS},
    )


def test_ids_and_numbers_stay_whole_on_a_terminal_of_80_columns() -> None:
    (row,) = (line for line in shown(counts("123456789012345")).splitlines() if line.startswith("123"))

    assert " ".join(row.split()) == "123456789012345 1,234,567 2 6 1,234,567 100 % 7 2 h 46 min"


def test_the_match_quality_is_one_line_for_all_datasets_that_have_one() -> None:
    sampled = quality_of({"sampled": 4, "q:Purchase:events": 4, "q:Purchase:tenths": 312})
    said = shown(counts("1"), counts("2"), counts("3"), qualities={"1": sampled, "2": quality_of({}), "3": sampled})

    assert "Match quality, 0 to 10 (--quality tells more): 1 7.8, 3 7.8" in said


def test_without_any_sample_nothing_is_said_of_it() -> None:
    assert "Match" not in shown(counts("1"), qualities={"1": quality_of({})})


def test_several_datasets_are_summed_up() -> None:
    assert "2,469,134" in shown(counts("1"), counts("2"))


def test_what_was_not_delivered_is_told_by_door() -> None:
    assert "Not delivered: rejected 7" in shown(counts("1"))


def test_a_pause_without_an_end_and_one_with() -> None:
    said = shown(counts("1", Pause("manual", None)), counts("2", Pause("rate_limited", 1_764_000_059_001)), width=300)

    assert "Dataset 1 is paused until it is resumed (manual)." in said
    assert "Dataset 2 is paused for 1 min 0 s (rate_limited): Meta's limit of calls is reached" in said


def test_no_dataset_is_told_in_words() -> None:
    assert "no dataset yet" in shown()
