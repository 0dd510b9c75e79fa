from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from worker.watchdog import Watchdog

LIMIT = 60


@dataclass
class Scene:
    """A worker and its surroundings, a second at a time."""

    limit: float = LIMIT
    now: float = 1000.0
    started: int = 0
    running: int = 0
    due: int = 3
    hints: int = 2
    watchdog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(
            self.limit, clock=lambda: self.now, started=lambda: self.started, running=lambda: self.running
        )

    def looks(self, seconds: int, *, step: float = 1.0) -> Iterator[bool]:
        for _ in range(seconds):
            self.now += step
            yield self.watchdog.deaf(lanes_due=self.due, hints_waiting=self.hints)


def test_a_worker_that_takes_nothing_for_the_whole_limit_is_deaf_and_not_a_second_earlier() -> None:
    verdicts = list(Scene().looks(LIMIT + 5))

    # The first look only learns the count of tasks, the second begins the spell.
    assert verdicts.index(True) == LIMIT + 1
    assert all(verdicts[LIMIT + 1 :])


def test_a_worker_whose_threads_are_all_at_long_requests_is_never_deaf() -> None:
    scene = Scene(started=16, running=16)

    assert not any(scene.looks(10 * LIMIT))


@pytest.mark.parametrize("nothing", ["due", "hints"])
def test_a_worker_that_nothing_waits_for_is_not_deaf(nothing: str) -> None:
    scene = Scene()
    setattr(scene, nothing, 0)

    assert not any(scene.looks(10 * LIMIT))


def test_a_worker_that_starts_a_task_now_and_then_is_not_deaf() -> None:
    scene = Scene()
    for _ in range(20):
        scene.started += 1

        assert not any(scene.looks(LIMIT - 5))


def test_a_second_without_anything_due_begins_the_count_anew() -> None:
    scene = Scene()
    list(scene.looks(LIMIT))
    scene.due = 0
    list(scene.looks(1))
    scene.due = 1

    assert not any(scene.looks(LIMIT - 1))


def test_a_worker_that_was_stopped_and_goes_on_is_given_the_whole_limit_again() -> None:
    scene = Scene()
    list(scene.looks(LIMIT - 5))
    scene.now += 3600

    assert not any(scene.looks(LIMIT))


def test_looks_that_each_wait_long_for_redis_prove_nothing() -> None:
    assert not any(Scene().looks(100, step=15.0))


def test_a_limit_of_zero_switches_it_off() -> None:
    assert not any(Scene(limit=0).looks(10 * LIMIT))
