"""Decide which entries of a batch may be sent, before any POST: pure.

Each event is decoded once, strictly, and validated; nothing is transformed. What is undecodable, expired or invalid
comes out as a dead letter that explains itself.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from capi_relay.addresses import without_addresses
from capi_relay.errors import InvalidEvent
from capi_relay.personal import protect
from capi_relay.wire import decode
from schemas import Problem, event_window, problems_of
from schemas.accept import acceptor
from worker.dead_letters import record_of
from worker.meta import Meta, read_meta
from worker.store import DeadEntry, Entry

# A dead letter tells so many problems of an event; one with thousands is hopeless anyway.
_MAX_PROBLEMS = 50


class Sendable(msgspec.Struct, frozen=True):
    """A valid event: what is needed to send it and to say how fresh it was."""

    entry: Entry
    event_time: int
    enqueued_ms: int
    event_name: str
    event_id: str
    action_source: str | None = None


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch after validation."""

    good: tuple[Sendable, ...]
    dead: tuple[DeadEntry, ...]


def sort_entries(entries: Iterable[Entry], *, now_seconds: float) -> Sorted:
    """Part what may be sent from what takes its door now."""
    good: list[Sendable] = []
    dead: list[DeadEntry] = []
    for entry in entries:
        verdict = _judge(entry, now_seconds)
        if isinstance(verdict, Sendable):
            good.append(verdict)
        else:
            dead.append(verdict)
    return Sorted(tuple(good), tuple(dead))


def bury(entry: Entry, door: str, event: dict[str, Any] | None, *, fields: Iterable[Problem] = ()) -> DeadEntry:
    """Make the dead letter of an entry that was never sent; raw personal data in it is hashed first."""
    meta = read_meta(entry)
    kept = entry.event if event is None else _hashed(entry.event, event)
    record = record_of(
        reason=door,
        event=event,
        enqueued_ms=meta.enqueued_ms if meta else None,
        attempts=0,
        fields=fields,
    )
    return DeadEntry(entry, door, kept, record)


def _judge(entry: Entry, now_seconds: float) -> Sendable | DeadEntry:
    meta = read_meta(entry)
    if meta is None:
        return bury(entry, "undecodable", None)
    sendable = _accepted(entry, meta) or _validated(entry, meta)
    if isinstance(sendable, DeadEntry):
        return sendable
    window = event_window(sendable.event_time, sendable.action_source, now_seconds)
    if window == "ok":
        return sendable
    event = decode(entry.event)
    if window == "too_old":
        return bury(entry, "expired", event)
    future = Problem("event_time", "in_the_future", "event_time lies in the future: check the sender's clock and unit")
    return bury(entry, "invalid", event, fields=[future])


def _accepted(entry: Entry, meta: Meta) -> Sendable | None:
    """Take the short way where it is open: bytes that our producer wrote, and types that are surely valid."""
    accept = acceptor()
    event = accept.take(entry.event) if accept and entry.meta else None
    if event is None:
        return None
    event_id, source = event.get("event_id", ""), event.get("action_source")
    return Sendable(entry, event.event_time, meta.enqueued_ms, event.event_name, event_id, source)


def _validated(entry: Entry, meta: Meta) -> Sendable | DeadEntry:
    """Decode strictly and let the schemas decide; they also say what is wrong."""
    try:
        event = decode(entry.event)
    except InvalidEvent as error:
        return bury(entry, "undecodable", None, fields=[Problem("", "undecodable", str(error))])
    if problems := problems_of(event):
        return bury(entry, "invalid", event, fields=problems[:_MAX_PROBLEMS])
    event_id, source = event.get("event_id", ""), event.get("action_source")
    return Sendable(entry, event["event_time"], meta.enqueued_ms, event["event_name"], event_id, source)


def _hashed(stored: bytes, event: dict[str, Any]) -> bytes:
    protected, warnings = protect(event)
    protected, removed = without_addresses(protected)
    if not warnings and not removed and protected == event:
        return stored
    # Not wire.encode: digests are longer than what they stand for, and a dead letter may pass the limit of an event.
    return json.dumps(protected, ensure_ascii=False, separators=(",", ":")).encode()
