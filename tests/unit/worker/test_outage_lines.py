"""A minute without the event store or the broker, second by second, as the tasks and the heartbeat live through it."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from structlog.testing import capture_logs

from worker import duties as module
from worker.duties import Duties
from worker.errors import BrokerUnavailable, StoreUnavailable
from worker.repeats import DropRepeats

SECONDS = 60
# In each second the heartbeat ticks, and so does beat's message; sixteen threads run hints that were published before.
PUMPS = 16


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now=0.0)


@pytest.fixture
def lines(clock: SimpleNamespace) -> Iterator[list[Any]]:
    with capture_logs(processors=[DropRepeats(lambda: clock.now)]) as captured:
        yield captured


@pytest.fixture
def duties(monkeypatch: pytest.MonkeyPatch) -> Duties:
    """One process's duties, with one lane to deliver; each test takes a server away."""
    runtime, hints = MagicMock(), MagicMock()
    runtime.settings.sentry_monitors, runtime.settings.max_hints = False, 64
    runtime.pump.run.return_value.lanes = 0
    monkeypatch.setattr(module, "resume_repaired", MagicMock(return_value=[]))
    monkeypatch.setattr(module, "eligible_lanes", MagicMock(return_value=1))
    hints.queued.return_value = 64
    return Duties(runtime, hints)


def take_away(server: Any, error: type[Exception]) -> None:  # noqa: ANN401 - a stand-in
    """Let every call fail, each time for another reason."""
    server.side_effect = (error(f"reason {number}") for number in count())


def take_store_away(duties: Duties) -> None:
    for called in (vars(module)["resume_repaired"], duties._runtime.pump.run, duties._runtime.store.admin.sweep):
        take_away(called, StoreUnavailable)


def live_through(duties: Duties, clock: SimpleNamespace, *, sweeps: bool = True) -> None:
    for second in range(SECONDS):
        clock.now = float(second)
        duties.keep_going()
        duties.tick()
        for _ in range(PUMPS):
            duties.deliver()
        if sweeps and second % 10 == 0:
            duties.sweep()


def told(lines: list[Any]) -> Counter[str]:
    return Counter(line["event"] for line in lines)


def test_a_minute_without_the_event_store_is_three_lines(
    duties: Duties, lines: list[Any], clock: SimpleNamespace
) -> None:
    take_store_away(duties)
    live_through(duties, clock)

    assert told(lines) == {
        "no tick until the event store answers": 1,
        "delivery stops until the event store answers": 1,
        "no sweep until the event store answers": 1,
    }


def test_the_next_line_says_for_how_many_it_stands(duties: Duties, lines: list[Any], clock: SimpleNamespace) -> None:
    take_store_away(duties)
    live_through(duties, clock)
    clock.now = float(SECONDS)
    duties.tick()

    assert (lines[-1]["event"], lines[-1]["repeated"]) == ("no tick until the event store answers", 2 * SECONDS - 1)


def test_a_minute_without_the_broker_is_one_line_and_its_end_another(
    duties: Duties, lines: list[Any], clock: SimpleNamespace
) -> None:
    queued: Any = duties._hints.queued
    take_away(queued, BrokerUnavailable)
    live_through(duties, clock, sweeps=False)
    queued.side_effect = None
    for _ in range(3):
        duties.tick()

    assert told(lines) == {
        "no hints until the broker answers": 1,
        "event store and broker answer again; delivery goes on": 1,
    }
