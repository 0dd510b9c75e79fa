"""The form of a spooled call on disk: its length, its CRC-32, and exactly what the store's append takes; pure."""

import json
import struct
from dataclasses import dataclass
from zlib import crc32

from capi_relay.append import Append

PREFIX = struct.Struct(">II")
"""Length and CRC-32 of the payload that follows; the length is part of the sum, so that zeros are no record."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One call that waits on disk."""

    work: Append
    spooled_ms: int
    """When it was written, by this machine's clock."""
    doubt_ms: int = 0
    """Since when the event store may have it already; 0: it surely has not."""


def encode(record: Spooled) -> bytes:
    """Return the record as it is written."""
    work = record.work
    head = {
        "dataset": work.dataset_id,
        "call": work.call_id,
        "linger_ms": work.linger_ms,
        "spooled_ms": record.spooled_ms,
        "doubt_ms": record.doubt_ms,
        "lanes": {name: [[len(event), len(tail)] for event, tail in rows] for name, rows in work.lanes.items()},
    }
    parts = (part for rows in work.lanes.values() for row in rows for part in row)
    payload = b"".join((json.dumps(head).encode(), b"\n", *parts))
    return PREFIX.pack(len(payload), checksum(payload)) + payload


def decode(payload: bytes) -> Spooled:
    """Return the record of a payload whose checksum was right."""
    line, _, rest = payload.partition(b"\n")
    head = json.loads(line)
    work = Append(head["dataset"], head["call"], head["linger_ms"])
    at = 0
    for name, sizes in head["lanes"].items():
        rows = work.lanes.setdefault(name, [])
        for event_bytes, tail_bytes in sizes:
            middle = at + event_bytes
            rows.append((rest[at:middle], rest[middle : middle + tail_bytes]))
            at = middle + tail_bytes
    return Spooled(work, head["spooled_ms"], head["doubt_ms"])


def checksum(payload: bytes) -> int:
    """Return the CRC-32 of a payload and its length."""
    return crc32(payload, crc32(len(payload).to_bytes(4, "big")))
