import pytest

from worker.bounded_socket import budget


def test_a_budget_says_what_is_left_of_the_time() -> None:
    with budget(60, 1000) as spent:
        assert 59 < spent.seconds_left() <= 60


def test_a_budget_whose_time_is_over_ends_every_wait() -> None:
    with budget(-1, 1000) as spent, pytest.raises(TimeoutError):
        spent.seconds_left()


def test_a_new_budget_knows_that_nothing_was_sent() -> None:
    with budget(60, 1000) as spent:
        assert not spent.sent
