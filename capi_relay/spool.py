"""The spool: one directory of a host where calls wait, on disk, for an event store that is away.

Each process writes to a file of its own. What it left behind, the next process that looks drains.
"""

import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from capi_relay.errors import MisconfiguredError, Overloaded
from capi_relay.spool_file import CORRUPT_SUFFIX, SUFFIX, SpoolFile, sync_directory
from capi_relay.spool_record import Spooled, encode

# A file is removed when it is drained whole: with smaller files, room comes back while an outage is worked off.
_FILE_BYTES = 64_000_000
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

_log = logging.getLogger(__name__)


class Spool:
    """This process's side of a spool directory. Safe from threads; call ``forget`` in a forked child."""

    def __init__(self, directory: Path, *, cap_bytes: int) -> None:
        """Make the directory where it is missing.

        Raises:
            MisconfiguredError: it cannot be made, or somebody else could read or plant events in it.
        """
        self._directory = directory.absolute()
        self._cap_bytes = cap_bytes
        self._lock = threading.Lock()
        self._writing: SpoolFile | None = None
        self._open: list[SpoolFile] = []
        _prepare(self._directory)

    def append(self, record: Spooled, *, moved: bool = False) -> None:
        """Store one record on the disk, synced; threads that come together share a sync.

        Args:
            record: what is to wait here.
            moved: it does already, in a file that is being drained: the cap holds for what comes in.

        Raises:
            Overloaded: the spool or its disk is full, or cannot be written; nothing is stored.
        """
        data = encode(record)
        try:
            with self._lock:
                if not moved and _size_bytes(self._directory) + len(data) > self._cap_bytes:
                    raise Overloaded(
                        "the event store takes no events now, and the spool is full: they were not accepted"
                    )
                file = self._file()
                end = self._write(file, data)
            self._sync(file, end)
        except OSError as error:
            reason = error.strerror or str(error)
            raise Overloaded(
                f"the event store takes no events now, and the spool cannot be written: {reason}"
            ) from None

    def take(self) -> SpoolFile | None:
        """Return a file to drain, until ``remove`` the same one: what was left behind, and at last this process's own.

        What is written after that goes to a new file.
        """
        with self._lock:
            file = self._choose()
        if file is not None:
            self._sync(file, file.end)  # whoever still waits for its sync finds it done: the file may be closed
        return file

    def remove(self, file: SpoolFile, *, corrupt: bool = False) -> None:
        """Let go of a file that is drained; keep it under another name where the rest of it cannot be read."""
        if corrupt:
            aside = file.path.with_suffix(CORRUPT_SUFFIX)
            file.path.rename(aside)
            left_bytes = file.end - file.position
            _log.error("The last %d bytes of a spool file cannot be read; it is kept as %s", left_bytes, aside)
        else:
            file.path.unlink(missing_ok=True)
        with self._lock:
            self._open.remove(file)
        file.close()

    def holds_own(self) -> bool:
        """Say whether this process has files that are not drained."""
        return bool(self._open)

    def has_files(self) -> bool:
        """Say whether there is any file of a process, this or another."""
        try:
            return any(self._paths())
        except OSError:  # the directory is gone; whoever has an event to spool is told
            return False

    def forget(self) -> None:
        """In a forked child: let go of the parent's files, which are locked for as long as a child has them open."""
        for file in self._open:
            file.close()
        self._lock = threading.Lock()
        self._writing = None
        self._open = []

    def close(self) -> None:
        """Let go of this process's files: whoever looks next drains them."""
        with self._lock:
            files, self._open, self._writing = self._open, [], None
        for file in files:
            with suppress(OSError):
                file.sync(file.end)  # for threads that still wait for theirs
            file.close()

    def _choose(self) -> SpoolFile | None:
        for file in self._open:
            if file is not self._writing:
                return file
        for path in self._left_behind():
            if adopted := _adopt(path):
                self._open.append(adopted)
                return adopted
        sealed, self._writing = self._writing, None
        return sealed

    def _file(self) -> SpoolFile:
        if self._writing is None or self._writing.end >= _FILE_BYTES:
            self._writing = SpoolFile.create(self._directory)
            self._open.append(self._writing)
        return self._writing

    def _write(self, file: SpoolFile, data: bytes) -> int:
        try:
            return file.write(data)
        except BaseException:
            self._seal(file)
            raise

    def _sync(self, file: SpoolFile, end: int) -> None:
        try:
            file.sync(end)
        except BaseException:
            with self._lock:
                self._seal(file)
                file.cut()
            raise

    def _seal(self, file: SpoolFile) -> None:
        """Write no more to this file; what is in it is drained."""
        if self._writing is file:
            self._writing = None

    def _paths(self) -> Iterator[Path]:
        return (path for path in self._directory.iterdir() if path.suffix == SUFFIX)

    def _left_behind(self) -> Iterator[Path]:
        own = {file.path for file in self._open}
        return (path for path in self._paths() if path not in own)


def _adopt(path: Path) -> SpoolFile | None:
    try:
        return SpoolFile.adopt(path)
    except OSError as error:
        _log.warning("The spool file %s cannot be opened: %s", path, error.strerror)
        return None


def _size_bytes(directory: Path) -> int:
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # drained and removed just now
                total += entry.stat(follow_symlinks=False).st_size
    return total


def _prepare(directory: Path) -> None:
    """Make the directory for this user alone, or see that it is one."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(PermissionError):
            sync_directory(directory.parent)  # that the new name is on the disk too
        found = directory.stat()
    except OSError as error:
        raise MisconfiguredError(f"CAPI_SPOOL_DIR: {directory} cannot be made: {error.strerror}") from None
    if found.st_uid != os.geteuid():
        raise MisconfiguredError(f"CAPI_SPOOL_DIR: {directory} belongs to another user: name one that is yours")
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise MisconfiguredError(f"CAPI_SPOOL_DIR: others may write to {directory}: chmod 700 it")
