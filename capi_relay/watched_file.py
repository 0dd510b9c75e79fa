"""A small file that may change while the process runs: looked at again at most once a second."""

import time
from collections.abc import Callable
from pathlib import Path

LOOK_AGAIN_SECONDS = 1.0


class WatchedFile:
    """Holds a file's bytes; ``problem`` says why there are none.

    The bytes are compared, not the modification time: a file that is rewritten twice within one tick of the file
    system's clock is seen all the same. Threads share it without a lock: two that look at once find the same.
    """

    def __init__(self, path: str | Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = Path(path)
        self.problem: str | None = None
        self._clock = clock
        self._look_again = float("-inf")
        self._content: bytes | None = None

    def look(self) -> bytes | None:
        """Return the content, None when it cannot be read; as long as it does not change, the same object."""
        now = self._clock()
        if now < self._look_again:
            return self._content
        try:
            content = self.path.read_bytes()
        except OSError as error:
            self.problem, self._content = error.strerror or type(error).__name__, None
        else:
            self.problem = None
            if content != self._content:
                self._content = content
        self._look_again = (
            now + LOOK_AGAIN_SECONDS
        )  # last: another thread must not take what is not read yet for absent
        return self._content
