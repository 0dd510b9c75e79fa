"""What is said of workers that do not reach Meta."""

from worker.cli.workers_view import unreached_lines
from worker.store import WorkerSign

_NOW_MS = 1_000_000


def _sign(name: str, *, since_ms: int = 0, next_try_ms: int = 0, why: str = "") -> WorkerSign:
    return WorkerSign(
        name,
        started_ms=1,
        slots=1,
        pumps=0,
        busy=0,
        rss_bytes=0,
        last_batch_ms=0,
        unreached_since_ms=since_ms,
        next_try_ms=next_try_ms,
        unreached_why=why,
    )


def test_of_workers_that_reach_meta_nothing_is_said() -> None:
    assert unreached_lines([_sign("one:1")], now_ms=_NOW_MS) == []


def test_a_worker_that_does_not_is_named_with_the_reason_and_the_next_try() -> None:
    cut_off = _sign("one:1", since_ms=_NOW_MS - 65_000, next_try_ms=_NOW_MS + 13_500, why="no answer in time")

    assert unreached_lines([cut_off], now_ms=_NOW_MS) == [
        "No answer from Meta from one:1 for 1 min 5 s (no answer in time), next try in 14 s."
    ]


def test_a_try_that_is_due_is_told_as_such() -> None:
    cut_off = _sign("one:1", since_ms=1, next_try_ms=_NOW_MS - 1, why="no answer in time")

    assert unreached_lines([cut_off], now_ms=_NOW_MS)[0].endswith(", next try is due.")


def test_of_many_only_the_first_are_named() -> None:
    cut_off = [_sign(f"host:{number}", since_ms=1) for number in range(10)]

    assert unreached_lines(cut_off, now_ms=_NOW_MS)[3:] == ["and from 7 more workers"]
