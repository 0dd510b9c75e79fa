"""How far ``send`` is: a bar with rate and time left on a terminal, and why it waits."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from worker.cli.console import err, number
from worker.cli.rejects import Rejects
from worker.cli.sender import Account
from worker.cli.source import Source


class SendProgress:
    """Shows on a terminal how far it is, how fast and for how long; elsewhere it says only when it has to wait."""

    def __init__(self, progress: Progress, source: Source, size_bytes: int | None) -> None:
        self._progress = progress
        self._source = source
        self._task = progress.add_task("sending", total=size_bytes, rate="")
        self._start = time.monotonic()
        self._waits: set[str] = set()

    def chunk(self, account: Account, rejects: Rejects | None) -> None:
        """Some more of the file is done."""
        if rejects:
            rejects.write()
        seconds = time.monotonic() - self._start
        rate = f"{number(round((account.accepted + account.refused) / seconds))}/s" if seconds > 0 else ""
        self._progress.update(self._task, completed=self._source.position, description="sending", rate=rate)

    def wait(self, reason: str) -> None:
        """The event store takes nothing."""
        self._progress.update(self._task, description="waiting")
        if reason not in self._waits:
            self._waits.add(reason)
            self._progress.console.print(f"Waiting: {reason}")


@contextmanager
def progress_of(source: Source, file: BinaryIO) -> Iterator[SendProgress]:
    """Show progress on stderr, only where it is a terminal."""
    console = err()
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}")),
        *(TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield SendProgress(progress, source, _size_of(file))


def _size_of(file: BinaryIO) -> int | None:
    """Return how many bytes there are to read, None when nobody knows."""
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
