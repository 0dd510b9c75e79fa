"""The worker's own breaker, on a clock that the test moves."""

import pytest

from worker.breaker import LocalBreaker, Trouble


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> LocalBreaker:
    return LocalBreaker(clock)


def test_it_is_closed_at_first(breaker: LocalBreaker) -> None:
    assert all(breaker.allows() for _ in range(20))


def test_a_failure_opens_it_for_a_second(breaker: LocalBreaker, clock: Clock) -> None:
    assert breaker.failed() == 1
    clock.now += 0.99
    assert not breaker.allows()
    clock.now += 0.02

    assert breaker.allows()


def test_after_an_opening_one_caller_may_try_and_the_others_wait_for_its_answer(
    breaker: LocalBreaker, clock: Clock
) -> None:
    breaker.failed()
    clock.now += 1

    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_when_the_one_never_tells_how_it_went_another_may_try(breaker: LocalBreaker, clock: Clock) -> None:
    breaker.failed()
    clock.now += 1
    breaker.allows()
    clock.now += 1

    assert breaker.allows()


def test_each_failure_doubles_the_wait_up_to_half_a_minute(breaker: LocalBreaker, clock: Clock) -> None:
    waits = []
    for _ in range(7):
        waits.append(breaker.failed())
        clock.now += waits[-1]

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_requests_that_fail_together_are_one_failure(breaker: LocalBreaker, clock: Clock) -> None:
    waits = []
    for _ in range(16):
        waits.append(breaker.failed())
        clock.now += 0.01

    assert waits == [1] * 16


def test_an_answer_closes_it_whatever_it_said(breaker: LocalBreaker, clock: Clock) -> None:
    breaker.failed()
    clock.now += 1
    breaker.failed()
    breaker.reached()

    assert all(breaker.allows() for _ in range(3))
    assert breaker.failed() == 1


def test_it_tells_since_when_it_is_open_and_when_the_next_try_is(clock: Clock, breaker: LocalBreaker) -> None:
    assert breaker.trouble() is None
    breaker.failed("no answer in time")
    clock.now += 5
    breaker.failed("the connection was refused")
    clock.now += 0.5

    assert breaker.trouble() == Trouble(5.5, 1.5, "the connection was refused")
    breaker.reached()
    assert breaker.trouble() is None
