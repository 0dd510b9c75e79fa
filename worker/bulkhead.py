"""Keep slow datasets from taking every slot of a worker: those known to be slow share at most half of them.

Nobody knows how a dataset will answer before it has answered here once, or slowly to an earlier process. Such newcomers
share three quarters of the slots with the slow: a quarter is theirs whatever the slow do, and a quarter is left to the
quick, however many newcomers hang.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

SLOW_SECONDS = 2.0
# Whoever was not heard of for so many others is asked anew.
_REMEMBERED = 50_000


class Admission:
    """One pump's right to take a lane: of a quick dataset always, of another one where a slot is left for it."""

    def __init__(self, bulkhead: "Bulkhead") -> None:
        self._bulkhead = bulkhead
        self._may_be_new, self._may_be_slow = bulkhead.reserve()

    def admits(self, dataset_id: str) -> bool:
        """Say whether a lane of this dataset may be taken."""
        quick = self._bulkhead.was_quick(dataset_id)
        return self._may_be_new if quick is None else quick or self._may_be_slow

    def took(self, dataset_id: str) -> None:
        """Note whose lane was taken: what its dataset does not need is free for others."""
        quick = self._bulkhead.was_quick(dataset_id)
        if quick:
            self.end()
        elif quick is None and self._may_be_slow:
            self._may_be_slow = False
            self._bulkhead.give_back(shared=0, slow=1)

    def end(self) -> None:
        """Give back what is held."""
        self._bulkhead.give_back(shared=self._may_be_new, slow=self._may_be_slow)
        self._may_be_new = self._may_be_slow = False


class Bulkhead:
    """What one worker process knows of its datasets' answers. Safe from threads."""

    def __init__(self, slots: int) -> None:
        """Take the number of lanes that the process works on at once; with one there is nothing to share."""
        self._slow_slots = max(1, slots // 2)
        self._shared_slots = max(1, slots * 3 // 4)
        self._lock = threading.Lock()
        self._slow_taken = self._shared_taken = 0
        self._quick: OrderedDict[str, bool] = OrderedDict()

    def was_quick(self, dataset_id: str) -> bool | None:
        """Say whether the dataset's last answer came soon; None: there was none yet."""
        return self._quick.get(dataset_id)

    def is_slow(self, dataset_id: str) -> bool:
        """Say whether the dataset's last answer came late; of one that has not answered yet nobody knows."""
        return self.was_quick(dataset_id) is False

    def expect_slow(self, dataset_ids: Iterable[str]) -> None:
        """Count these as slow until they answer here: an earlier process found them so."""
        with self._lock:
            for dataset_id in dataset_ids:
                self._quick.setdefault(dataset_id, False)

    def answered(self, dataset_id: str, seconds: float) -> None:
        """Note how long an answer took."""
        with self._lock:
            self._quick[dataset_id] = seconds < SLOW_SECONDS
            self._quick.move_to_end(dataset_id)
            if len(self._quick) > _REMEMBERED:
                self._quick.popitem(last=False)

    @contextmanager
    def admission(self) -> Iterator[Admission]:
        """Let one pump take a lane and work on it."""
        admission = Admission(self)
        try:
            yield admission
        finally:
            admission.end()

    def reserve(self) -> tuple[bool, bool]:
        """Take a slot for whatever lane is found; return whether it may be a newcomer's, and whether a slow one's."""
        with self._lock:
            shared = self._shared_taken < self._shared_slots
            slow = shared and self._slow_taken < self._slow_slots
            self._shared_taken += shared
            self._slow_taken += slow
            return shared, slow

    def give_back(self, *, shared: int, slow: int) -> None:
        """Give back slots that were taken."""
        with self._lock:
            self._shared_taken -= shared
            self._slow_taken -= slow
