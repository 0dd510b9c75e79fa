"""What one worker process is at: how many pumps run, and on how many lanes they work. Safe from threads."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.breaker import Trouble
from worker.store import WorkerSign

_LONGEST_NAME = 80


class Activity:
    """Counts what begins and ends here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.time()
        self._last_batch = 0.0
        self._pumps = 0
        self._busy = 0

    @contextmanager
    def pump(self) -> Iterator[None]:
        """Count a pump while it runs."""
        with self._lock:
            self._pumps += 1
        try:
            yield
        finally:
            with self._lock:
                self._pumps -= 1

    @contextmanager
    def lane(self) -> Iterator[None]:
        """Count a lane while it is worked on."""
        with self._lock:
            self._busy += 1
            self._last_batch = time.time()
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def sign(self, slots: int, trouble: Trouble | None = None) -> WorkerSign:
        """Return what this process tells of itself; trouble: why it does not reach Meta, if it does not."""
        now = time.time()
        with self._lock:
            return WorkerSign(
                name=f"{socket.gethostname()[:_LONGEST_NAME]}:{os.getpid()}",
                started_ms=int(self._started * 1000),
                slots=slots,
                pumps=self._pumps,
                busy=self._busy,
                rss_bytes=_rss_bytes(),
                last_batch_ms=int(self._last_batch * 1000),
                unreached_since_ms=int((now - trouble.for_seconds) * 1000) if trouble else 0,
                next_try_ms=int((now + trouble.next_try_seconds) * 1000) if trouble else 0,
                unreached_why=trouble.why if trouble else "",
            )


def _rss_bytes() -> int:
    """Return this process's memory; 0 on systems that do not tell it under /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
