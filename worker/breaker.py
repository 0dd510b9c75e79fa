"""The worker's own circuit breaker: when this machine cannot reach Meta, it stops trying and leaves lanes to others."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 30.0


class Trouble(NamedTuple):
    """What keeps the breaker open."""

    for_seconds: float
    next_try_seconds: float
    why: str


class LocalBreaker:
    """Open for 1 s after a failure, twice as long after each further one, 30 s at most; then one caller may try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wait_seconds = 0.0
        self._open_until = 0.0
        self._last_failure = 0.0
        self._since = 0.0
        self._why = ""

    def allows(self) -> bool:
        """Say whether this caller may try; after an opening only one may, until it has told how it went."""
        with self._lock:
            if self._wait_seconds == 0.0:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._wait_seconds  # the others wait for this one's answer
            return True

    def failed(self, why: str = "") -> float:
        """Note that Meta could not be reached from here; return for how many seconds the breaker is open."""
        with self._lock:
            now = self._clock()
            self._why = why
            if self._wait_seconds == 0.0:
                self._since = now
            # What fails together with other requests in flight is one failure.
            if self._wait_seconds == 0.0 or now - self._last_failure >= self._wait_seconds:
                self._wait_seconds = min(max(self._wait_seconds * 2, _FIRST_SECONDS), _LONGEST_SECONDS)
                self._last_failure = now
            self._open_until = now + self._wait_seconds
            return self._wait_seconds

    def trouble(self) -> Trouble | None:
        """Say since when Meta cannot be reached from here; None: it can."""
        with self._lock:
            if self._wait_seconds == 0.0:
                return None
            now = self._clock()
            return Trouble(now - self._since, max(0.0, self._open_until - now), self._why)

    def reached(self) -> None:
        """Note that Meta answered, whatever it said."""
        with self._lock:
            self._wait_seconds = 0.0
