"""The relay's Celery application with one thing changed, for comparison: BENCH_VARIANT says what."""

import os

import certifi

from worker import batch
from worker.intake import Sendable, Sorted
from worker.meta import read_meta
from worker.store import Entry


def _unvalidated(entries: tuple[Entry, ...], *, now_seconds: float) -> Sorted:  # noqa: ARG001 - a drop-in's arguments
    """Let everything through: the path that all validation is measured against. The meta is still read."""
    good = []
    for entry in entries:
        meta = read_meta(entry)
        assert meta is not None
        good.append(Sendable(entry, meta.enqueued_ms // 1000, meta.enqueued_ms, "", ""))
    return Sorted(tuple(good), ())


if os.environ.get("BENCH_VARIANT") == "unvalidated":
    batch.sort_entries = _unvalidated  # type: ignore[assignment] # a tuple is what it is given
if path := os.environ.get("BENCH_CERTIFICATE"):
    certifi.where = lambda: path

from worker.app import app  # noqa: E402 - what is changed must be changed before

__all__ = ["app"]
