"""What the simulator took: every accepted event as canonical JSON, and counts of everything it was asked."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(event: Mapping[str, Any]) -> bytes:
    """Return an event's canonical JSON: sorted keys, no spaces, UTF-8.

    Raises:
        ValueError: the event holds an infinite number or half of a surrogate pair.
    """
    return _encode(event).encode()


@dataclass(frozen=True, slots=True)
class Origin:
    """What all events of one accepted request share; ``at`` is in Unix seconds."""

    dataset: str
    token_fingerprint: str | None
    at: float
    request: int
    test_event_code: str | None = None
    partner_agent: str | None = None


@dataclass(slots=True)
class _Tally:
    events: int = 0
    distinct: int = 0
    requests: int = 0


class Ledger:
    """All accepted events in order.

    With a file, each event is in it before its request is answered, and a new ledger takes up what the file holds: the
    events, not the counts of requests.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._reset()
        if path is not None and path.exists():
            self._load(path)
        self._file = None if path is None else path.open("ab")

    def _reset(self) -> None:
        self._requests = self._accepted = self._largest = 0
        self._refused: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._tallies: dict[str, _Tally] = {}
        self._seen: set[tuple[str, str, str]] = set()
        self._taken: list[tuple[Origin, Sequence[bytes]]] = []

    def _load(self, path: Path) -> None:
        """Take up the lines of an earlier run; a last line that was cut off was never answered for, and is cut away."""
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"".join(line + b"\n" for line in lines[:-1]))
        for line in map(json.loads, lines[:-1]):
            origin = Origin(**{name: line[name] for name in Origin.__slots__})
            self._requests = max(self._requests, origin.request)
            self._enter(origin, [line["event"]])

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def clear(self) -> None:
        """Forget everything, in the file too."""
        self._reset()
        if self._file is not None:
            self._file.truncate(0)

    def asked(self, dataset: str) -> int:
        """Count a request, whatever comes of it, and return its number."""
        self._requests += 1
        self._tallies.setdefault(dataset, _Tally()).requests += 1
        return self._requests

    def refused(self, name: str) -> None:
        """Count a refusal under its ``code/subcode``."""
        self._refused[name] += 1

    def fault(self, kind: str) -> None:
        """Count a fault that was played."""
        self._faults[kind] += 1

    def saw(self, count: int) -> None:
        """Remember the largest request seen, in events."""
        self._largest = max(self._largest, count)

    def take(self, origin: Origin, events: Sequence[Mapping[str, Any]]) -> None:
        """Record the events of an accepted request: all of them or, where one has no canonical form, none.

        Raises:
            ValueError: see :func:`canonical`.
        """
        texts = self._enter(origin, events)
        self._accepted += 1
        if self._file is not None:
            self._file.write(b"".join(_line(origin, text, raw=True) for text in texts))
            self._file.flush()

    def _enter(self, origin: Origin, events: Sequence[Mapping[str, Any]]) -> Sequence[bytes]:
        texts = [canonical(event) for event in events]
        tally = self._tallies.setdefault(origin.dataset, _Tally())
        tally.events += len(events)
        for event in events:
            # Without an id nothing tells two events apart from one sent twice: each counts as distinct.
            key = (origin.dataset, event["event_name"], event.get("event_id", f"\0{len(self._seen)}"))
            if key not in self._seen:
                self._seen.add(key)
                tally.distinct += 1
        self._taken.append((origin, texts))
        return texts

    def summary(self) -> dict[str, Any]:
        """Return the counts, as ``GET /_ledger`` gives them."""
        tallies = self._tallies
        return {
            "requests": self._requests,
            "accepted_requests": self._accepted,
            "largest_request_events": self._largest,
            "refused": dict(self._refused),
            "faults": dict(self._faults),
            "datasets": {dataset: asdict(tally) for dataset, tally in tallies.items()},
            "duplicates": sum(tally.events - tally.distinct for tally in tallies.values()),
        }

    def lines(self, dataset: str | None, *, raw: bool) -> Iterator[bytes]:
        """Yield the JSON lines of each accepted request, in the order of acceptance."""
        for origin, texts in list(self._taken):
            if dataset in (None, origin.dataset):
                yield b"".join(_line(origin, text, raw=raw) for text in texts)


def _line(origin: Origin, text: bytes, *, raw: bool) -> bytes:
    event = json.loads(text)
    line = asdict(origin)
    line |= {key: event.get(key) for key in ("event_id", "event_name", "event_time")}
    line["sha256"] = sha256(text).hexdigest()
    if raw:
        line["event"] = event
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
