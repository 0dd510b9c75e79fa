"""One spool file: a header that says how far it is drained, then records; locked by whoever has it open.

The lock ends with the process, however that ends. So a file that can be locked belongs to nobody.
"""

import fcntl
import os
import secrets
import struct
import threading
from io import FileIO
from pathlib import Path
from typing import Self
from zlib import crc32

from capi_relay.spool_record import PREFIX, Spooled, checksum, decode

SUFFIX = ".spool1"
"""The number is the version of the format: a program leaves files of another version alone."""
CORRUPT_SUFFIX = ".corrupt"
_POSITION = struct.Struct(">QQ")  # where the first record lies that is not drained, since when it is in doubt (ms)
_HEADER_BYTES = _POSITION.size + 4
_BROKEN = "the disk did not take what was written"
_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class CorruptRecordError(Exception):
    """What follows in the file is no whole record: it is torn or was damaged."""


class SpoolFile:
    """An open, locked file. One thread writes at a time, one drains; many may wait for the same sync."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._raw = FileIO(descriptor, "r+")  # a closed one refuses; a bare number might be another's file by then
        self._syncing = threading.Lock()
        self._broken = False
        self.end = self._synced = max(os.fstat(descriptor).st_size, _HEADER_BYTES)
        self.position, self.doubt_ms = _position_of(descriptor)
        self._next = self.position

    @classmethod
    def create(cls, directory: Path) -> Self:
        """Make a new file in the directory."""
        while True:
            path = directory / f"{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            file = cls(path, descriptor)
            try:
                if _lock(descriptor, path):
                    file.save_position(_HEADER_BYTES)
                    sync_directory(directory)
                    return file
            except OSError:
                path.unlink(missing_ok=True)
                file.close()
                raise
            file.close()  # somebody was quicker to adopt it: it is theirs to remove

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Open a file that was left behind; None where its process lives, or another has adopted it."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        if _lock(descriptor, path):
            return cls(path, descriptor)
        os.close(descriptor)
        return None

    def write(self, data: bytes) -> int:
        """Append the data, all or nothing, and return where it ends; it is safe only after a sync."""
        if self._broken:
            raise OSError(_BROKEN)
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(self._raw.fileno(), data[done:], self.end + done)
        except BaseException:  # a signal's too: a time limit may strike here
            os.ftruncate(self._raw.fileno(), self.end)
            raise
        self.end += len(data)
        return self.end

    def sync(self, end: int) -> None:
        """Have all up to there on the disk. One sync serves every thread that has written before it began."""
        with self._syncing:
            if self._synced >= end:
                return
            if self._broken:
                raise OSError(_BROKEN)
            reached = self.end
            try:
                _sync_data(self._raw.fileno())
            except BaseException:  # what a failed sync has written nobody can know: write no more to this file
                self._broken = True
                raise
            self._synced = reached

    def cut(self) -> None:
        """Take back what no sync has confirmed: its callers were told that it is not stored."""
        if self.end > self._synced and not self._raw.closed:
            self.end = self._synced
            os.ftruncate(self._raw.fileno(), self.end)

    def read(self) -> Spooled | None:
        """Return the first record that is not drained, None where there is none left.

        Raises:
            CorruptRecordError: what is left is no record.
        """
        if self.position >= self.end:
            return None
        prefix = os.pread(self._raw.fileno(), PREFIX.size, self.position)
        if len(prefix) < PREFIX.size:
            raise CorruptRecordError
        size, wanted = PREFIX.unpack(prefix)
        start = self.position + PREFIX.size
        if start + size > self.end:
            raise CorruptRecordError
        payload = os.pread(self._raw.fileno(), size, start)
        if len(payload) != size or checksum(payload) != wanted:
            raise CorruptRecordError
        self._next = start + size
        return decode(payload)

    def advance(self) -> None:
        """Remember that the record just read is drained. Not synced: a record drained twice keeps its call id."""
        self.save_position(self._next)

    def save_position(self, position: int, doubt_ms: int = 0) -> None:
        """Remember where the first record lies that is not drained, and since when the store may have it."""
        fields = _POSITION.pack(position, doubt_ms)
        os.pwrite(self._raw.fileno(), fields + crc32(fields).to_bytes(4, "big"), 0)
        self.position, self.doubt_ms = position, doubt_ms

    def close(self) -> None:
        """Close the file, and so unlock it, unless a process that was forked meanwhile has it open too."""
        self._raw.close()


def _position_of(descriptor: int) -> tuple[int, int]:
    """Return how far the file is drained and the doubt; a damaged header counts as nothing drained."""
    header = os.pread(descriptor, _HEADER_BYTES, 0)
    fields = header[: _POSITION.size]
    if len(header) < _HEADER_BYTES or crc32(fields).to_bytes(4, "big") != header[_POSITION.size :]:
        return _HEADER_BYTES, 0
    position, doubt_ms = _POSITION.unpack(fields)
    return position, doubt_ms


def look(path: Path) -> tuple[int, int]:
    """Return how many bytes of a file are not drained, and when the first of them were spooled (ms; 0: not known)."""
    file = SpoolFile(path, os.open(path, os.O_RDONLY | os.O_NOFOLLOW))
    try:
        record = file.read()
    except CorruptRecordError:
        record = None
    finally:
        file.close()
    return max(file.end - file.position, 0), record.spooled_ms if record else 0


def _lock(descriptor: int, path: Path) -> bool:
    """Lock the file, unless another has it, or had it and has removed or renamed it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except (BlockingIOError, FileNotFoundError):
        return False


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
