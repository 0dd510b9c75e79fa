"""Would Meta take an event if it were sent now? Asked of the schemas and the clock, for letters and files: pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from capi_relay.errors import InvalidEvent
from capi_relay.wire import decode
from schemas import Problem, event_window, problems_of
from schemas.accept import acceptor
from worker.scrub import redact
from worker.store import StoredDeadLetter

_MOST_CAUSES = 1000
_MOST_PROBLEMS = 3
_FUTURE = Problem("event_time", "in_the_future", "event_time lies in the future: check the sender's clock and unit")


class Verdict(NamedTuple):
    """What would become of an event."""

    door: Literal["", "invalid", "expired", "undecodable"]
    """By which it would leave again; empty: Meta would be asked."""
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Forecast:
    """What a replay of many dead letters would come to."""

    acceptable: int = 0
    refused: Counter[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)
    """Door, and path and code of the problems -> events."""

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        if not verdict.door:
            self.acceptable += 1
            return
        fields = tuple((redact(problem.path), problem.code) for problem in verdict.problems[:_MOST_PROBLEMS])
        known = (verdict.door, fields) in self.refused or len(self.refused) < _MOST_CAUSES
        self.refused[verdict.door, fields if known else ()] += 1

    def judging(self, letters: Iterable[StoredDeadLetter], *, now_seconds: float) -> Iterator[StoredDeadLetter]:
        """Hand letters on, judging each; nothing is kept of them but counts."""
        for letter in letters:
            self.add(verdict_of(letter.event, now_seconds=now_seconds, ours=bool(letter.meta)))
            yield letter

    def as_json(self) -> dict[str, Any]:
        """Return it as ``dead replay --json`` has it."""
        refused = [
            {"reason": door, "fields": [{"path": path, "code": code} for path, code in fields], "events": events}
            for (door, fields), events in self.refused.most_common()
        ]
        return {"acceptable": self.acceptable, "refused": refused}


def verdict_of(event_bytes: bytes, *, now_seconds: float, ours: bool = False) -> Verdict:
    """Judge an event as a worker would directly before it sends it; ours: our producer wrote these bytes."""
    accept = acceptor() if ours else None  # the short way to know that there is no problem
    taken = accept.take(event_bytes) if accept else None
    if taken is not None:
        event_time, action_source = taken.event_time, taken.get("action_source")
    else:
        try:
            event = decode(event_bytes)
        except InvalidEvent:
            return Verdict("undecodable")
        if problems := problems_of(event):
            return Verdict("invalid", tuple(problems))
        event_time, action_source = event["event_time"], event.get("action_source")
    match event_window(event_time, action_source, now_seconds):
        case "too_old":
            return Verdict("expired")
        case "future":
            return Verdict("invalid", (_FUTURE,))
    return Verdict("")


def forecast(letters: Iterable[StoredDeadLetter], *, now_seconds: float) -> Forecast:
    """Judge many."""
    found = Forecast()
    for _ in found.judging(letters, now_seconds=now_seconds):
        pass
    return found
