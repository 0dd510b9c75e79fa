"""Open a file that only its owner may read: what is in it is as personal as the event store."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

STDOUT = "-"


@contextmanager
def private_file(file: str, *, append: bool = False) -> Iterator[TextIO]:
    """Open a file for its owner only, also one that is there already; ``-`` is stdout."""
    if file == STDOUT:
        yield sys.stdout
        return
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    try:
        descriptor = os.open(Path(file), flags, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "a" if append else "w", encoding="utf-8", newline="") as target:
        yield target
