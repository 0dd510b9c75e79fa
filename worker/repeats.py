"""Keep back what says the same again and again: log lines during an outage, reports of one fault to Sentry."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, MutableMapping
from typing import Any

from structlog import DropEvent

_MOST_KEYS = 10_000


class Repeats:
    """Lets each key pass once in a while, and counts what it keeps back. Safe from threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def passes(self, key: Hashable, once_in_seconds: float) -> int | None:
        """Return how many of this key were kept back since the last that passed; None: keep this one back, too."""
        with self._lock:
            now = self._clock()
            last, kept_back = self._passed.pop(key, (float("-inf"), 0))
            passes = now - last >= once_in_seconds
            self._passed[key] = (now, 0) if passes else (last, kept_back + 1)
            if len(self._passed) > _MOST_KEYS:
                self._passed.popitem(last=False)
            return kept_back if passes else None


class DropRepeats:
    """A structlog processor: a line with ``once_in_seconds=60`` is written once a minute, with how many it stands for.

    Lines are the same when message, dataset and door are: a reason differs from call to call while one server is away.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._repeats = Repeats(clock)

    def __call__(self, logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog gives any logger
        """Take ``once_in_seconds`` out of the line, and drop the line if it was written less long ago."""
        seconds = fields.pop("once_in_seconds", None)
        if seconds is None:
            return fields
        key = (getattr(logger, "name", None), fields.get("event"), fields.get("dataset_id"), fields.get("door"))
        kept_back = self._repeats.passes(key, seconds)
        if kept_back is None:
            raise DropEvent
        if kept_back:
            fields["repeated"] = kept_back
        return fields
