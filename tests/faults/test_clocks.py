"""Rows 56 and 57 of the fault matrix: no lease, wait or age depends on the clock of a worker or producer."""

import time
from collections.abc import Callable

import pytest

from tests.fakes.events import lead
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import Site

HOUR_SECONDS = 3600.0


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set this process's clock so many seconds ahead, or behind."""
    right = time.time

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: right() + seconds)

    return set_clock


@pytest.mark.parametrize("seconds", [HOUR_SECONDS, -HOUR_SECONDS])
def test_a_clock_jump_on_a_worker_changes_no_lease_and_no_age(
    seconds: float, site: Site, meta: Simulator, jump: Callable[[float], None]
) -> None:
    site.enqueue_events([lead("a")])
    held = site.claim()
    assert held
    jump(seconds)
    rival = site.claim()
    site.run(held)

    assert rival is None
    assert [line["event_id"] for line in meta.events()] == ["a"]
    assert (site.counter("fresh"), site.counter("late")) == (1, 0)


def test_a_producers_clock_that_is_an_hour_slow_loses_nothing(
    site: Site, meta: Simulator, jump: Callable[[float], None]
) -> None:
    event = lead("a")
    jump(-HOUR_SECONDS)
    del event["event_time"]
    site.enqueue_events([event])
    site.hand.ripen()
    site.run_all()

    assert [line["event_id"] for line in meta.events()] == ["a"]


def test_a_producers_clock_that_is_an_hour_fast_makes_dead_letters_that_can_be_replayed_and_says_why(
    site: Site, meta: Simulator, jump: Callable[[float], None]
) -> None:
    """Meta takes no event of the future, so one that got its time from that clock is explained and kept."""
    event = lead("a")
    del event["event_time"]
    jump(HOUR_SECONDS)
    site.enqueue_events([event])
    site.run_all()
    (letter,) = site.letters()

    assert meta.ledger()["requests"] == 0
    assert (letter.reason, "clock" in letter.cause) == ("invalid", True)
