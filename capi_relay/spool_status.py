"""What lies in a spool directory, for ``check`` and for people: it locks and changes nothing."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from capi_relay.spool_file import CORRUPT_SUFFIX, SUFFIX, look


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """What waits in a spool directory."""

    files: int
    """Files with events that wait, those that living processes write to among them."""
    size_bytes: int
    oldest_seconds: float
    """For how long the oldest of them has waited; 0 where nothing waits."""
    corrupt_files: int
    """Files that were set aside, because a record in them is torn or damaged."""


def spool_status(directory: Path) -> SpoolStatus:
    """Look at a spool directory.

    Raises:
        OSError: it is not there, or this user may not read it.
    """
    paths = list(directory.iterdir())
    found = []
    for path in paths:
        if path.suffix == SUFFIX:
            with suppress(FileNotFoundError):  # drained and removed just now
                found.append(look(path))
    sizes = [left_bytes for left_bytes, _ in found if left_bytes]
    first_ms = min((spooled_ms for left_bytes, spooled_ms in found if left_bytes and spooled_ms), default=None)
    oldest_seconds = 0.0 if first_ms is None else max(time.time() - first_ms / 1000, 0.0)
    return SpoolStatus(len(sizes), sum(sizes), oldest_seconds, sum(path.suffix == CORRUPT_SUFFIX for path in paths))
