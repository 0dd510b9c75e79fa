"""Tell running pumps that the worker is shutting down."""

import mmap
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_STEP_SECONDS = 0.1


class Shutdown:
    """One flag for the main process, its threads and its forked children (shared memory)."""

    def __init__(self) -> None:
        self._flag = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Ask everybody to finish; safe in a signal handler."""
        self._flag[0] = 1

    def is_set(self) -> bool:
        """Say whether the worker is shutting down."""
        return self._flag[0] == 1

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until the worker shuts down; return whether it does."""
        end = time.monotonic() + seconds
        while not self.is_set() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_SECONDS))
        return self.is_set()

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """While the block runs let SIGTERM and Ctrl-C ask to finish: Celery takes them only when it has started."""
        if threading.current_thread() is not threading.main_thread():  # where Python allows no handler
            yield
            return
        before = {each: signal.signal(each, lambda *_: self.set()) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
