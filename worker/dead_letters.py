"""The dead-letter queue: what a dead letter says, and how it is listed, replayed and purged."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Protocol

from capi_relay import failpoints
from capi_relay.errors import InvalidEvent
from capi_relay.lanes import lane_name
from capi_relay.wire import decode
from worker.explain import explain
from worker.meta import Meta, read_meta
from worker.store import Entry, Store, StoredDeadLetter

_NAME_CHARACTERS = 100
_PURGED_AT_ONCE = 1_000
_DAY_MS = 24 * 3600 * 1000


class _Problem(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as a person or a program reads it."""

    id: str
    dataset_id: str
    event_id: str
    event_name: str
    reason: str
    code: int | None
    subcode: int | None
    fbtrace_id: str | None
    attempts: int
    first_at: str
    """When the event was first enqueued (UTC, ISO 8601)."""
    last_at: str
    """When it became a dead letter (UTC, ISO 8601)."""
    cause: str
    fix: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the contract of ``dead list --json`` has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReplayCount:
    """What a replay did, or would do."""

    replayed: int = 0
    gone: int = 0
    """Replayed or purged by somebody else meanwhile."""
    not_replayable: int = 0
    """Undecodable: there is no event to send."""


def record_of(
    *,
    reason: str,
    event: Mapping[str, Any] | None,
    enqueued_ms: int | None,
    attempts: int,
    code: int | None = None,
    subcode: int | None = None,
    title: str = "",
    fbtrace_id: str | None = None,
    fields: Iterable[_Problem] = (),
) -> str:
    """Write the record that explains a dead letter, as JSON; the settling script stores it with the event."""
    named = event or {}
    return json.dumps(
        {
            "reason": reason,
            "event_id": _short(named.get("event_id")),
            "event_name": _short(named.get("event_name")),
            "code": code,
            "subcode": subcode,
            "title": title,
            "fbtrace_id": fbtrace_id,
            "attempts": attempts,
            "first_ms": enqueued_ms,
            "fields": [[problem.path, problem.code, problem.message] for problem in fields],
        },
    )


def read_letter(stored: StoredDeadLetter) -> DeadLetter:
    """Turn a stored dead letter into one that explains itself."""
    record = json.loads(stored.record or b"{}")
    last_ms = int(stored.id.partition("-")[0])
    messages = [f"{path}: {message}" if path else message for path, _, message in record.get("fields", ())]
    told = explain(record.get("reason", ""), record.get("code"), record.get("subcode"), messages)
    return DeadLetter(
        id=stored.id,
        dataset_id=stored.dataset_id,
        event_id=record.get("event_id") or "",
        event_name=record.get("event_name") or "",
        reason=record.get("reason", ""),
        code=record.get("code"),
        subcode=record.get("subcode"),
        fbtrace_id=record.get("fbtrace_id"),
        attempts=record.get("attempts", 0),
        first_at=_iso(record.get("first_ms") or last_ms),
        last_at=_iso(last_ms),
        cause=told.cause,
        fix=told.fix,
    )


def replay(
    store: Store,
    letters: Iterable[StoredDeadLetter],
    *,
    lanes_of: Mapping[str, int],
    now_seconds: float,
    freshness_seconds: float,
    dry_run: bool = False,
) -> ReplayCount:
    """Put dead letters back into their lanes; run twice, or killed in the middle, it replays each once.

    Args:
        store: the event store.
        letters: what to replay.
        lanes_of: lanes of a dataset, where it has more than one.
        now_seconds: to tell a late event from a fresh one.
        freshness_seconds: the freshness target.
        dry_run: only count.
    """
    replayed = gone = hopeless = 0
    for letter in letters:
        try:
            event = decode(letter.event)
        except InvalidEvent:
            hopeless += 1
            continue
        meta = read_meta(Entry(letter.id, letter.event, letter.meta)) or Meta(int(letter.id.partition("-")[0]))
        name = lane_name(
            event_id=str(event.get("event_id", "")),
            event_time=event.get("event_time"),
            action_source=event.get("action_source"),
            lanes=lanes_of.get(letter.dataset_id, 1),
            now_seconds=now_seconds,
            freshness_seconds=freshness_seconds,
        )
        again = Meta(meta.enqueued_ms, meta.warnings, meta.replays + 1)
        if dry_run or store.dead.replay(letter, lane_name=name, meta=again.to_bytes()):
            replayed += 1
            failpoints.reach("in_dead_replay")
        else:
            gone += 1
    return ReplayCount(replayed, gone, hopeless)


def purge(store: Store, letters: Iterable[StoredDeadLetter]) -> int:
    """Delete dead letters for good, page by page while they are read; return how many there were."""
    gone = 0
    for dataset_id, of_dataset in groupby(letters, key=attrgetter("dataset_id")):
        ids = (letter.id for letter in of_dataset)
        while page := list(islice(ids, _PURGED_AT_ONCE)):
            gone += store.dead.purge(dataset_id, page)
    return gone


def age_out(store: Store, keep_days: int) -> dict[str, int]:
    """Delete dead letters older than so many days (0: none); return how many of which dataset."""
    if not keep_days:
        return {}
    found = {each: store.dead.age_out(each, keep_days * _DAY_MS) for each in store.admin.dataset_ids()}
    return {dataset_id: count for dataset_id, count in found.items() if count}


def _short(value: object) -> str:
    return value[:_NAME_CHARACTERS] if isinstance(value, str) else ""


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
