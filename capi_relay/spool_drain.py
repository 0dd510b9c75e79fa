"""Drain the spool: append what waits on disk to the event store, by the same calls, with the same call ids.

A thread of its own does it, a daemon, so that the process may end at any time: what is left is another's to adopt.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from capi_relay import failpoints
from capi_relay.append import Append
from capi_relay.errors import InDoubt, LaneFull, Overloaded, RelayError
from capi_relay.spool import Spool
from capi_relay.spool_file import CorruptRecordError, SpoolFile
from capi_relay.spool_record import Spooled

# append.lua remembers a call for 600 s of the store's clock; ours may go a little differently.
_REMEMBERED_MS = 590_000
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 10.0
_CLOSE_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Drain:
    """The one drainer of this process."""

    def __init__(self, spool: Spool, append: Callable[[Append], None]) -> None:
        """Start nothing yet; ``append`` stores a call or raises, as the store's does."""
        self._spool = spool
        self._append = append
        self.forget()

    def forget(self) -> None:
        """In a forked child: the parent's thread is not here, and its locks are nobody's."""
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._drained = 0

    def start(self) -> None:
        """Have a thread drain what is there, unless one does already."""
        with self._starting:
            if self._thread is None:
                stop = threading.Event()
                thread = threading.Thread(target=self._run, args=(stop,), name="capi-spool", daemon=True)
                with suppress(RuntimeError):  # no thread can be had, the process ends perhaps: a later call tries
                    thread.start()
                    self._thread, self._stop = thread, stop

    def run(self, timeout_seconds: float) -> bool:
        """Drain now, in this thread; say whether all is drained but what living processes have."""
        stop = time.monotonic() + timeout_seconds
        wait_seconds = _FIRST_WAIT_SECONDS
        while (left_seconds := stop - time.monotonic()) > 0:
            try:
                if self._pass(lambda: time.monotonic() > stop, left_seconds):
                    return True
            except (Overloaded, OSError):
                time.sleep(max(0.0, min(_jittered(wait_seconds), stop - time.monotonic())))
                wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        return False

    def close(self) -> None:
        """End the thread and let go of the files; while a call of it is being made, the thread does that itself."""
        with self._starting:
            self._stop.set()
            self._thread = None
        self._let_go(_CLOSE_SECONDS)

    def _let_go(self, timeout_seconds: float) -> None:
        if self._turn.acquire(timeout=timeout_seconds):
            self._spool.close()
            self._turn.release()

    def _run(self, stop: threading.Event) -> None:
        wait_seconds = _FIRST_WAIT_SECONDS
        while not stop.is_set():
            before = self._drained
            try:
                if self._pass(stop.is_set) and self._finish(stop):
                    return
                wait_seconds = _FIRST_WAIT_SECONDS
            except Exception as error:  # noqa: BLE001 - whatever it is: events wait here, and the thread must live
                if not isinstance(error, Overloaded):  # that was said when the first event was spooled
                    _log.warning("The spool cannot be drained: %s", _told(error))
                if self._drained > before:
                    wait_seconds = _FIRST_WAIT_SECONDS
                stop.wait(_jittered(wait_seconds))
                wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        self._let_go(-1)

    def _finish(self, stop: threading.Event) -> bool:
        """Let the thread end, unless something was spooled since it looked."""
        with self._starting:
            if stop.is_set() or self._spool.holds_own():
                return False
            self._thread = None
        if self._drained:
            _log.info("The spool is drained: %d calls went to the event store", self._drained)
            self._drained = 0
        return True

    def _pass(self, is_over: Callable[[], bool], timeout_seconds: float = -1) -> bool:
        """Drain file after file; say whether nothing is left but what living processes have.

        Raises:
            Overloaded: the event store does not take them now.
            OSError: a file cannot be read, written or removed.
        """
        if not self._turn.acquire(timeout=timeout_seconds):
            return False
        try:
            full: set[str] = set()
            while not is_over():
                file = self._spool.take()
                if file is None:
                    return True
                self._drain(file, is_over, full)
                if full:  # what went to the back is not taken again before a pause
                    raise LaneFull("a dataset's lane is full")
            return False
        finally:
            self._turn.release()

    def _drain(self, file: SpoolFile, is_over: Callable[[], bool], full: set[str]) -> None:
        """Store the file's records in order. One whose lane is full goes to the back: others must not wait for it."""
        while not is_over():
            try:
                record = file.read()
            except CorruptRecordError:
                self._spool.remove(file, corrupt=True)
                return
            if record is None:
                self._spool.remove(file)
                return
            record = replace(record, doubt_ms=record.doubt_ms or file.doubt_ms)
            try:
                self._store(file, record, full)
            except LaneFull:
                full.add(record.work.dataset_id)
                self._spool.append(record, moved=True)
            file.advance()

    def _store(self, file: SpoolFile, record: Spooled, full: set[str]) -> None:
        if record.work.dataset_id in full:
            raise LaneFull("a dataset's lane is full")
        now_ms = int(time.time() * 1000)
        age_ms = now_ms - record.doubt_ms  # below zero where the clock was set back
        record.work.possibly_again = record.doubt_ms > 0 and not 0 <= age_ms < _REMEMBERED_MS
        if not record.doubt_ms:  # noted before: a process that ends during this call can no longer do it
            file.save_position(file.position, now_ms)
        try:
            self._append(record.work)
        except InDoubt:
            raise
        except Overloaded:
            if not record.doubt_ms:
                file.save_position(file.position)
            raise
        self._drained += 1
        failpoints.reach("in_spool_drain")


def _told(error: Exception) -> str:
    """Return what may be logged of an error: no text that we did not write."""
    if isinstance(error, RelayError):
        return str(error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _jittered(seconds: float) -> float:
    return random.uniform(seconds / 2, seconds)
