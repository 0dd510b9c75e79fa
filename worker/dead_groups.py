"""Group dead letters by what is wrong with them, however many there are: pure."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from worker.dead_letters import DeadLetter
from worker.explain import explain
from worker.scrub import redact
from worker.store import StoredDeadLetter

_MOST_GROUPS = 1000
_MOST_FIELDS = 3
_PLACE = re.compile(r"\[\d+\]")


class Problem(NamedTuple):
    """What is wrong with one field: where, which rule, and what to do, never a value."""

    path: str
    code: str
    message: str


class Cause(NamedTuple):
    """What dead letters of one group have in common."""

    reason: str
    code: int | None = None
    subcode: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Path and rule of each problem, the first few; the places in lists are left out."""

    @property
    def label(self) -> str:
        """Name it in a few words: ``rejected 100/2804016``, ``invalid: user_data.ct not_sha256``."""
        code = "/".join(str(part) for part in (self.code, self.subcode) if part is not None)
        fields = ", ".join(" ".join(filter(None, pair)) for pair in self.fields)
        return f"{self.reason} {code}".strip() + (f": {fields}" if fields else "")


@dataclass(slots=True)
class Group:
    """The dead letters of one cause."""

    cause: Cause
    events: int
    first_at: str
    """When the first of them became one (UTC, ISO 8601)."""
    last_at: str
    example: str
    """Id of the first."""
    text: str
    fix: str
    datasets: set[str] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """Return it as ``dead groups --json`` has it."""
        fields = [{"path": path, "code": code} for path, code in self.cause.fields]
        return {
            "reason": self.cause.reason,
            "code": self.cause.code,
            "subcode": self.cause.subcode,
            "fields": fields,
            "events": self.events,
            "datasets": sorted(self.datasets),
            "first_at": self.first_at,
            "last_at": self.last_at,
            "example_id": self.example,
            "cause": self.text,
            "fix": self.fix,
        }


def problems_of_letter(stored: StoredDeadLetter) -> list[Problem]:
    """Return what the record says of single fields."""
    fields = json.loads(stored.record or b"{}").get("fields", ())
    return [Problem(*map(str, each)) for each in fields]


def cause_of(letter: DeadLetter, problems: Iterable[Problem], *, most: int = _MOST_FIELDS) -> Cause:
    """Return which group a dead letter belongs to."""
    fields = dict.fromkeys((_common(each.path), each.code) for each in problems)
    return Cause(letter.reason, letter.code, letter.subcode, tuple(fields)[:most])


def grouped(letters: Iterable[tuple[StoredDeadLetter, DeadLetter]]) -> tuple[list[Group], int]:
    """Return the groups, the largest first, and how many letters are of yet another cause than the first thousand."""
    groups: dict[Cause, Group] = {}
    others = 0
    for stored, letter in letters:
        problems = problems_of_letter(stored)
        cause = cause_of(letter, problems)
        if cause not in groups:
            if len(groups) >= _MOST_GROUPS:  # the memory must not grow with what an application invents
                others += 1
                continue
            told = explain(letter.reason, letter.code, letter.subcode, list(_messages(cause, problems)))
            at = letter.last_at
            groups[cause] = Group(cause, 0, at, at, letter.id, told.cause, told.fix)
        group = groups[cause]
        group.events += 1
        group.datasets.add(letter.dataset_id)
        group.first_at, group.last_at = min(group.first_at, letter.last_at), max(group.last_at, letter.last_at)
    return sorted(groups.values(), key=lambda each: (-each.events, each.cause.label)), others


def _messages(cause: Cause, problems: Iterable[Problem]) -> Iterator[str]:
    """Yield the sentence of each of the group's problems once."""
    told = {(_common(each.path), each.code): each.message for each in problems}
    for path, code in cause.fields:
        yield f"{path}: {told[path, code]}" if path else told[path, code]


@lru_cache(maxsize=10_000)
def _common(path: str) -> str:
    """Return a path without places in lists; a key that an application made of somebody's address is masked."""
    return redact(_PLACE.sub("[]", path))
