"""The producer: what a web app calls to have an event delivered.

``enqueue`` makes the event ready (personal data hashed, id and time given, dataset defaults applied), encodes it once
and appends it to its lane. It answers within the deadline: accepted, or an exception that says why not.
"""

import json
import os
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from capi_relay.append import Append
from capi_relay.datasets import DatasetDefaults, DatasetFile
from capi_relay.environment import redis_url, value_of
from capi_relay.errors import InvalidEvent, MisconfiguredError, Overloaded
from capi_relay.lanes import lane_name
from capi_relay.prepare import prepare
from capi_relay.spooled_store import DEFAULT_CAP_BYTES, SpooledStore
from capi_relay.store import AppendStore

_ID_SPACE = uuid.UUID("5a0b6a52-7f0c-4b63-9d0e-0d1f7f1c2f11")
# One script call blocks the store for its length: about 5 ms at these limits.
_CALL_EVENTS = 1000
_CALL_BYTES = 2_000_000
_MAX_DATASET_DIGITS = 32
_DRAIN_SECONDS = 5.0  # for one call of the thread that drains the spool: nobody waits for it
_MAX_SHARDS = 4096


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an accepted event."""

    event_id: str
    """The id it is sent with: give it to the browser pixel as ``eventID``, so that Meta pairs both."""
    status: Literal["accepted", "spooled"] = "accepted"
    """``spooled``: it lies on this machine's disk until the event store takes it."""
    warnings: tuple[str, ...] = ()
    """What was left out or changed, by field; never a value."""


class _Ready(NamedTuple):
    receipt: Receipt
    event: bytes
    meta_tail: bytes
    lane: str


@dataclass(slots=True)
class _Chunk:
    work: Append
    places: list[int] = field(default_factory=list)
    size_bytes: int = 0


def event_id_for(event_name: str, *parts: str | int) -> str:
    """Return an event id that is the same each time for the same event name and parts (an order id, say).

    Use it where an event may be enqueued twice by your own code: the second one then carries the same id.
    """
    return uuid.uuid5(_ID_SPACE, "\x1f".join((event_name, *map(str, parts)))).hex


class Producer:
    """Enqueue events to one event store. Safe from threads, after a fork and under gevent."""

    def __init__(  # noqa: PLR0913 - each a keyword-only setting of its own
        self,
        url: str,
        *,
        default_dataset_id: str | None = None,
        datasets_path: str | Path | None = None,
        deadline_seconds: float = 0.25,
        linger_seconds: float = 5.0,
        full_events: int = 1000,
        freshness_seconds: float = 3600,
        lane_cap: int = 10_000_000,
        shards: int | None = None,
        coerce_times: bool = False,
        match_variants: bool = False,
        spool_dir: str | Path | None = None,
        spool_bytes: int = DEFAULT_CAP_BYTES,
    ) -> None:
        """Open nothing yet: the first ``enqueue`` connects.

        ``coerce_times`` and ``match_variants`` hold where the datasets file does not say them. In ``spool_dir`` events
        wait on disk while the event store is away; all producers of a host share it, and its ``spool_bytes``.

        Raises:
            MisconfiguredError: the URL is none of Redis; or the datasets file has problems, and the message lists them
                all; or the spool's directory cannot be made, is another user's, or others may write to it.
        """
        self._default_dataset_id = default_dataset_id
        self._datasets = DatasetFile(datasets_path)
        self._linger_seconds = linger_seconds
        self._freshness_seconds = freshness_seconds
        self._coerce_times = coerce_times
        self._match_variants = match_variants
        make_store = partial(AppendStore, url, full_events=full_events, lane_cap=lane_cap, shards=shards)
        self._store = make_store(deadline_seconds=deadline_seconds)
        self._spooled: SpooledStore | None = None
        if spool_dir is not None:
            patient = make_store(deadline_seconds=_DRAIN_SECONDS)
            self._spooled = SpooledStore(self._store, patient, Path(spool_dir), cap_bytes=spool_bytes)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Make a producer from the same environment variables that the worker reads.

        Raises:
            MisconfiguredError: a variable or the datasets file has problems.
        """
        env = os.environ if environ is None else environ
        return cls(
            redis_url(env),
            default_dataset_id=value_of(env, "CAPI_DATASET_ID") or None,
            datasets_path=value_of(env, "CAPI_DATASETS") or None,
            linger_seconds=_number(env, "CAPI_LINGER_SECONDS", 5.0),
            full_events=int(_number(env, "CAPI_BATCH_EVENTS", 1000)),
            freshness_seconds=_number(env, "CAPI_FRESHNESS_SECONDS", 3600),
            shards=_shards(env),
            spool_dir=value_of(env, "CAPI_SPOOL_DIR"),
            spool_bytes=int(_number(env, "CAPI_SPOOL_BYTES", DEFAULT_CAP_BYTES)),
        )

    def enqueue(self, event: Mapping[str, Any], *, dataset_id: str | None = None) -> Receipt:
        """Accept one event for delivery.

        Args:
            event: in Meta's field names; personal data raw or hashed. It is not changed.
            dataset_id: whose event it is; the default dataset where it is left out.

        Raises:
            InvalidEvent: JSON cannot carry it, or it is too large or too deep; sending it again will not help.
            Overloaded: the store is away, slow or full, and there is no spool or it is full; nothing was stored, but
                after ``InDoubt``, one of its kind, it may have been: enqueue it again with the same event id.
            MisconfiguredError: no dataset is named, or the store has another number of shards than CAPI_SHARDS says.
        """
        defaults = self._datasets.get(_dataset_id(dataset_id or self._default_dataset_id))
        ready = self._prepare(event, defaults)
        work = self._new_call(defaults)
        work.lanes[ready.lane] = [(ready.event, ready.meta_tail)]
        return _as_spooled(ready.receipt) if self._put(work) else ready.receipt

    def enqueue_many(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        dataset_id: str | None = None,
    ) -> list[Receipt | InvalidEvent | Overloaded]:
        """Accept many events; the outcomes are in the order of the events, and no outcome is raised.

        The deadline holds for each thousand events. Once the store has refused, the rest is not tried. If ``events``
        itself raises, so does this: of what it gave until then, whole thousands may be stored.

        Raises:
            MisconfiguredError: as ``enqueue``.
        """
        target = _dataset_id(dataset_id or self._default_dataset_id)
        defaults = self._datasets.get(target)
        outcomes: list[Receipt | InvalidEvent | Overloaded] = []
        refused: Overloaded | None = None
        chunk = _Chunk(self._new_call(defaults))
        for place, event in enumerate(events):
            try:
                ready = self._prepare(event, defaults)
            except InvalidEvent as error:
                outcomes.append(error)
                continue
            outcomes.append(ready.receipt)
            if len(chunk.places) >= _CALL_EVENTS or chunk.size_bytes + len(ready.event) > _CALL_BYTES:
                refused = self._append(chunk, outcomes, refused)
                chunk = _Chunk(self._new_call(defaults))
            chunk.work.lanes.setdefault(ready.lane, []).append((ready.event, ready.meta_tail))
            chunk.places.append(place)
            chunk.size_bytes += len(ready.event)
        self._append(chunk, outcomes, refused)
        return outcomes

    def drain(self, timeout_seconds: float) -> bool:
        """Move what waits in the spool to the event store, and wait for it: not needed, a thread does it by itself.

        Returns whether nothing is left but what other living processes have spooled.
        """
        return self._spooled is None or self._spooled.drain(timeout_seconds)

    def close(self) -> None:
        """Close the connections to the store; what is spooled stays on the disk for the next process."""
        if self._spooled is not None:
            self._spooled.close()
        self._store.close()

    def _put(self, work: Append) -> bool:
        """Store a call; say whether it went to the spool."""
        if self._spooled is not None:
            return self._spooled.append(work)
        self._store.append(work)
        return False

    def _new_call(self, defaults: DatasetDefaults) -> Append:
        linger = self._linger_seconds if defaults.linger_seconds is None else defaults.linger_seconds
        return Append(defaults.dataset_id, os.urandom(16).hex(), int(linger * 1000))

    def _append(
        self,
        chunk: _Chunk,
        outcomes: list[Receipt | InvalidEvent | Overloaded],
        refused: Overloaded | None,
    ) -> Overloaded | None:
        if not chunk.places:
            return refused
        if refused is None:
            try:
                if self._put(chunk.work):
                    for place in chunk.places:
                        receipt = outcomes[place]
                        if isinstance(receipt, Receipt):
                            outcomes[place] = _as_spooled(receipt)
            except Overloaded as error:
                refused = error
            else:
                return None
        for place in chunk.places:
            outcomes[place] = refused
        return refused

    def _prepare(self, event: Mapping[str, Any], defaults: DatasetDefaults) -> _Ready:
        now = time.time()
        prepared = prepare(
            event, defaults, now=now, coerce_times=self._coerce_times, match_variants=self._match_variants
        )
        event_id = str(prepared.event["event_id"])
        lane = lane_name(
            event_id=event_id,
            event_time=prepared.event["event_time"],
            action_source=prepared.event.get("action_source"),
            lanes=defaults.lanes,
            now_seconds=now,
            freshness_seconds=self._freshness_seconds,
        )
        warnings = prepared.warnings
        tail = b"," + json.dumps({"w": warnings})[1:].encode() if warnings else b"}"
        return _Ready(Receipt(event_id, warnings=warnings), prepared.encoded, tail, lane)


def _as_spooled(receipt: Receipt) -> Receipt:
    return replace(receipt, status="spooled")


def _dataset_id(value: str | None) -> str:
    if not value:
        raise MisconfiguredError("say which dataset the event is for: dataset_id=..., or set CAPI_DATASET_ID")
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DATASET_DIGITS):
        raise MisconfiguredError("dataset_id is the dataset's number as text: 1 to 32 digits")
    return value


def _shards(env: Mapping[str, str]) -> int | None:
    """Return CAPI_SHARDS, within the bounds that the worker takes; None where it is not set."""
    text = env.get("CAPI_SHARDS", "").strip()
    if not text:
        return None
    if not (re.fullmatch("[1-9][0-9]{0,3}", text) and int(text) <= _MAX_SHARDS):
        raise MisconfiguredError(f"CAPI_SHARDS must be a whole number from 1 to {_MAX_SHARDS}")
    return int(text)


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):  # so that NaN is none either
        raise MisconfiguredError(f"{name} must be a number from 0 up")
    return value
