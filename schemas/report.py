"""What there is to say about one event of a file, as one JSON object: prepared, validated, linted, scored.

Nothing is kept between events, so a file of any size can be reported one by one.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Final

from capi_relay.datasets import DatasetDefaults
from capi_relay.errors import InvalidEvent
from capi_relay.prepare import prepare
from capi_relay.wire import decode
from schemas import match_quality
from schemas.accept import acceptor
from schemas.lint import lint
from schemas.lint_codes import LINT_MESSAGES
from schemas.problems import Problem, problems_of

UNDECODABLE: Final = "undecodable"
# What the producer did to an event: its warnings have a path and a sentence, and these codes here.
_LEFT_OUT, _CHANGED = "left_out", "changed"

Report = dict[str, Any]


def report(
    index: int,
    event: Mapping[str, Any],
    defaults: DatasetDefaults | None = None,
    *,
    now: float | None = None,
    coerce_times: bool = False,
    match_variants: bool = False,
    domains: Collection[str] = (),
    test_mode: bool = False,
) -> Report:
    """Return ``index, valid, errors, warnings, match_quality`` and ``event``, as it would be sent.

    Errors and warnings are objects of ``path``, ``code`` and ``message``, and hold no value of the event.

    Args:
        index: The event's place among the others.
        event: As an application gives it to the producer; it is not changed.
        defaults: What the event's dataset says.
        now: Unix seconds; the clock where it is left out.
        coerce_times: As for the producer; the dataset's own word wins.
        match_variants: As for the producer; the dataset's own word wins.
        domains: The dataset's, for the linter.
        test_mode: Whether the dataset has a ``test_event_code``.
    """
    moment = time.time() if now is None else now
    try:
        prepared = prepare(
            event,
            defaults or DatasetDefaults("0"),
            now=moment,
            coerce_times=coerce_times,
            match_variants=match_variants,
        )
    except InvalidEvent as error:
        return unreadable(index, str(error))
    sent = decode(prepared.encoded)
    accept = acceptor()  # the short way to know that there is none
    problems = [] if accept and accept.take(prepared.encoded) is not None else problems_of(sent)
    warnings = [*map(of_producer, prepared.warnings), *lint(sent, now=moment, domains=domains, test_mode=test_mode)]
    if event.get("event_id") is None:  # it has one by now, but one that the browser does not know
        warnings.append(Problem("event_id", "missing_event_id", LINT_MESSAGES["missing_event_id"]))
    return {
        "index": index,
        "valid": not problems,
        "errors": [asdict(problem) for problem in problems],
        "warnings": [asdict(warning) for warning in warnings],
        "match_quality": match_quality.score(sent),
        "event": sent,
    }


def unreadable(index: int, reason: str) -> Report:
    """Return the same object for what is no event at all; the reason must hold no value of it."""
    problem = Problem("", UNDECODABLE, reason)
    return {
        "index": index,
        "valid": False,
        "errors": [asdict(problem)],
        "warnings": [],
        "match_quality": 0.0,
        "event": None,
    }


def of_producer(warning: str) -> Problem:
    """Return a warning of the producer's with a code."""
    path, _, message = warning.partition(": ")
    return Problem(path, _LEFT_OUT if message.startswith("left out") else _CHANGED, message)
