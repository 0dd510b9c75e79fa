import pytest
import structlog

from worker.repeats import DropRepeats, Repeats


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Logger:
    name = "worker.duties"


def test_a_key_passes_once_in_so_many_seconds_and_says_how_many_were_kept_back() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    passed = []
    for second in range(121):
        clock.now = 1000.0 + second
        passed.append(repeats.passes("store away", 60))

    assert [(second, count) for second, count in enumerate(passed) if count is not None] == [
        (0, 0),
        (60, 59),
        (120, 59),
    ]


def test_keys_do_not_keep_each_other_back() -> None:
    repeats = Repeats(Clock())

    assert [repeats.passes(key, 60) for key in ("store", "broker", "store")] == [0, 0, None]


def test_what_was_not_heard_of_for_ten_thousand_others_is_forgotten() -> None:
    repeats = Repeats(Clock())
    repeats.passes("first", 60)
    for number in range(10_000):
        repeats.passes(number, 60)

    assert repeats.passes("first", 60) == 0
    assert len(repeats._passed) == 10_000


def test_a_line_without_a_period_is_always_written() -> None:
    drop = DropRepeats(Clock())

    assert [drop(Logger(), "info", {"event": "request answered"}) for _ in range(3)] == [
        {"event": "request answered"}
    ] * 3


def test_a_minute_of_an_outage_is_two_lines_whatever_the_reasons_were() -> None:
    clock = Clock()
    drop = DropRepeats(clock)
    written = []
    for second in range(61):
        clock.now = 1000.0 + second
        for thread in range(16):
            line = {"event": "no tick", "why": f"error {second} {thread}", "once_in_seconds": 60}
            try:
                written.append(drop(Logger(), "error", line))
            except structlog.DropEvent:
                continue

    assert written == [
        {"event": "no tick", "why": "error 0 0"},
        {"event": "no tick", "why": "error 60 0", "repeated": 959},
    ]


def test_another_dataset_is_another_line() -> None:
    drop = DropRepeats(Clock())
    line = {"event": "lease lost", "once_in_seconds": 60}

    assert drop(Logger(), "warning", {**line, "dataset_id": "1"}) == {"event": "lease lost", "dataset_id": "1"}
    assert drop(Logger(), "warning", {**line, "dataset_id": "2"}) == {"event": "lease lost", "dataset_id": "2"}
    with pytest.raises(structlog.DropEvent):
        drop(Logger(), "warning", {**line, "dataset_id": "1"})
