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
    setattr(batch, "sort_entries", _unvalidated)  # noqa: B010 - not exported, and that is right
if "BENCH_CERTIFICATE" in os.environ:
    certifi.where = lambda: os.environ["BENCH_CERTIFICATE"]

from tasks.__main__ import main  # noqa: E402 - what is changed must be changed before

if __name__ == "__main__":
    main()
