"""Erasing a person: which events are theirs, and taking those out of the lanes and the dead letters.

What names a person is an e-mail address, a phone number or an own id; all else in an event is shared by many.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from capi_relay import normalize
from capi_relay.errors import InvalidEvent
from capi_relay.hashing import is_sha256
from capi_relay.personal import protect
from capi_relay.wire import decode
from worker.meta import read_meta
from worker.store import Entry, Store

NAMING: Final = ("em", "ph", "external_id")
"""The keys of ``user_data`` by which a person is found."""

_HEX: Final = 64
_PAGE: Final = 200
_LOOK_AGAIN_SECONDS: Final = 0.25


class NoIdentifierError(ValueError):
    """The value cannot be an identifier of that kind; the message says why and holds no value."""


@dataclass(frozen=True)
class Person:
    """Whom to look for: the digests under each key, all readings of a value among them."""

    digests: Mapping[str, frozenset[str]]
    country: str | None = None
    """ISO alpha-2 code that national phone numbers of events which were never hashed belong to."""
    clear: frozenset[str] = field(default=frozenset(), repr=False)
    """Values as another hand may have written them into bytes that are no event."""
    _needles: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        every = self.clear.union(*self.digests.values())
        object.__setattr__(self, "_needles", tuple(text.encode() for text in sorted(every)))

    def __or__(self, other: "Person") -> "Person":
        """Return whoever is one of the two: several identifiers of one person."""
        both = {key: self.digests.get(key, frozenset()) | other.digests.get(key, frozenset()) for key in NAMING}
        digests = {key: found for key, found in both.items() if found}
        return Person(digests, self.country or other.country, self.clear | other.clear)

    def is_in(self, entry: Entry) -> bool:
        """Say whether an event is this person's."""
        event_bytes = entry.event.lower()
        named = any(needle in event_bytes for needle in self._needles)
        # Our producer wrote each digest as it is searched for. What another hand wrote may be raw, or escaped.
        if not named and entry.meta and read_meta(entry) is not None and b"\\u" not in entry.event:
            return False
        try:
            event = decode(entry.event)
        except InvalidEvent:
            return named
        return self._is_named_by(event)

    def _is_named_by(self, event: Mapping[str, Any]) -> bool:
        user_data = protect(event, self.country)[0].get("user_data", {})
        return any(
            digest[:_HEX] in wanted for key, wanted in self.digests.items() for digest in _listed(user_data.get(key))
        )


def person_of(key: str, value: str, *, country: str | None = None) -> Person:
    """Return the person that a value names: normalised and hashed by the producer's own code, in all its readings.

    Raises:
        NoIdentifierError: there is no such digest.
    """
    safe, warnings = protect({"user_data": {key: value}}, country, match_variants=True)
    found = frozenset(digest[:_HEX] for digest in _listed(safe.get("user_data", {}).get(key)))
    if not found:
        raise NoIdentifierError(warnings[0].partition("left out: ")[2] if warnings else "it is empty")
    # An own id of few characters would be in everything.
    clear = normalize.em(value) if key == "em" else normalize.ph(value, country) if key == "ph" else None
    return Person({key: found}, country, frozenset({clear}) if clear else frozenset())


def person_of_digest(value: str) -> Person:
    """Return the person that a SHA-256 names, under whichever key it stands.

    Raises:
        NoIdentifierError: it is no SHA-256.
    """
    digest = value.strip()
    if not is_sha256(digest):
        raise NoIdentifierError("it is no SHA-256: give its 64 hex digits")
    return Person(dict.fromkeys(NAMING, frozenset({digest[:_HEX].lower()})))


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was found of a person in one dataset, and what became of it."""

    waiting: int = 0
    """Events erased from the lanes; in a dry run those that are there."""
    dead_letters: int = 0
    """Dead letters deleted; in a dry run those that are there."""
    left_meanwhile: int = 0
    """Events that were under way and left by themselves: delivered, or dead letters, which are deleted."""
    not_reached: int = 0
    """Events that were still under way at the end."""


def erase(store: Store, person: Person, dataset_id: str, *, wait_seconds: float, dry_run: bool = False) -> Erasure:
    """Erase a person from one dataset; run twice it does no harm.

    The dead letters come last, because an event that was under way may have become one.
    """
    if dry_run:
        waiting = sum(len(theirs) for lane in store.eraser.lanes(dataset_id) for theirs in _pages(store, person, lane))
        return Erasure(waiting, _erase_letters(store, person, dataset_id, dry_run=True))
    found = _erase_waiting(store, person, dataset_id, wait_seconds)
    return replace(found, dead_letters=_erase_letters(store, person, dataset_id, dry_run=False))


def _erase_waiting(store: Store, person: Person, dataset_id: str, wait_seconds: float) -> Erasure:
    end = time.monotonic() + wait_seconds
    waiting = left = 0
    while True:
        under_way: dict[str, list[Entry]] = {}
        for lane in store.eraser.lanes(dataset_id):
            for theirs in _pages(store, person, lane):
                waiting += _erase_some(store, lane, theirs, under_way)
        found = sum(map(len, under_way.values()))
        erased = 0
        while under_way and time.monotonic() < end:
            time.sleep(_LOOK_AGAIN_SECONDS)
            held, under_way = under_way, {}
            for lane, theirs in held.items():
                erased += _erase_some(store, lane, theirs, under_way)
        stuck = sum(map(len, under_way.values()))
        waiting, gone = waiting + erased, found - erased - stuck
        left += gone
        if not gone or time.monotonic() >= end:  # one that left may have been moved to another lane: looked for again
            return Erasure(waiting, left_meanwhile=left, not_reached=stuck)


def _erase_some(store: Store, lane: str, theirs: list[Entry], under_way: dict[str, list[Entry]]) -> int:
    erased = store.eraser.erase(lane, theirs)
    if erased.under_way:
        under_way.setdefault(lane, []).extend(entry for entry in theirs if entry.id in erased.under_way)
    return erased.removed


def _pages(store: Store, person: Person, lane: str) -> Iterable[list[Entry]]:
    for page in store.eraser.pages(lane):
        if theirs := [entry for entry in page if person.is_in(entry)]:
            yield theirs


def _erase_letters(store: Store, person: Person, dataset_id: str, *, dry_run: bool) -> int:
    count, ids = 0, list[str]()
    for letter in store.dead.read(dataset_id):
        if person.is_in(Entry(letter.id, letter.event, letter.meta)):
            ids.append(letter.id)
        if len(ids) >= _PAGE:
            count, ids = count + _delete(store, dataset_id, ids, dry_run=dry_run), []
    return count + _delete(store, dataset_id, ids, dry_run=dry_run)


def _delete(store: Store, dataset_id: str, ids: list[str], *, dry_run: bool) -> int:
    return len(ids) if dry_run else store.dead.purge(dataset_id, ids)


def _listed(value: object) -> list[str]:
    """Return the texts under a key of ``user_data``, which holds one or a list."""
    members = value if isinstance(value, list) else [value]
    return [member for member in members if isinstance(member, str)]
