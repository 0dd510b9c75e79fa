"""What is wrong with an event, as a flat list a person can act on, which holds nothing of the event but key names."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow.exceptions import SCHEMA

from schemas.base import Fault
from schemas.codes import MESSAGES
from schemas.event import EventSchema

# A key that a foreign producer made up may itself be personal data (an address as a key): odd or long ones are masked.
SAFE_KEY: Final = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.]*\Z")
MAX_PATH_LENGTH: Final = 64
MASKED_KEY: Final = "masked_key"

_SCHEMA: Final = EventSchema()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an event: where, which, and what to do."""

    path: str  # user_data.em[1]; empty: the event itself
    code: str  # a key of schemas.codes.MESSAGES: Meta would refuse it; of schemas.lint_codes.LINT_MESSAGES: a warning
    message: str


def problems_of(event: Mapping[str, Any]) -> list[Problem]:
    """Return all problems of an event (decoded JSON), sorted by path; none: Meta would take it.

    Never raises, whatever JSON value it is given, and never changes it.
    """
    return sorted(set(_flatten(_SCHEMA.validate(event), "")), key=lambda problem: (problem.path, problem.code))


def path_of(keys: Iterable[str | int]) -> str:
    """Return how a place in an event is written, without what may be personal data in a key."""
    path = ""
    for key in keys:
        path = _join(path, key)
    return path


def _flatten(messages: object, path: str) -> Iterator[Problem]:
    """Walk marshmallow's nested messages: objects by key and lists by index, with codes and faults as leaves."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flatten(inner, path if key == SCHEMA else _join(path, key))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flatten(inner, path)
    elif isinstance(messages, Fault):
        for key in messages.path:
            path = _join(path, key)
        yield Problem(path, messages.code, MESSAGES[messages.code])
    else:
        code = str(messages)
        yield Problem(path, code, MESSAGES[code])


def _join(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    prefix = f"{path}." if path else ""
    joined = f"{prefix}{key}"
    return joined if SAFE_KEY.match(str(key)) and len(joined) <= MAX_PATH_LENGTH else f"{prefix}{MASKED_KEY}"
