"""Run a program that ends with whoever started it, even if that one is killed: ``python leash.py PARENT PROGRAM ...``.

The kernel watches (Linux); elsewhere the program just runs. A program of its own instead of code between fork and exec,
which would not be safe in a process with threads. It imports nothing of ours: it must start at once.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str | os.PathLike[str]]) -> list[str | os.PathLike[str]]:
    """Return the command line that runs a command on a leash.

    The kernel counts the death of the thread that started it, so only the main thread, which lives as long as the
    process, holds one.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _run(parent: str, *command: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it was killed before the kernel watched
        raise SystemExit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted: it becomes the program


if __name__ == "__main__":
    _run(*sys.argv[1:])
