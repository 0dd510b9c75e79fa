"""Tell which events of a batch repeat another one: pure.

An event is another one's repetition when dataset, ``event_name`` and ``event_id`` are equal: Meta pairs by the same
(Meta: deduplicate-pixel-and-server-events). Business-messaging events are never paired there, and neither are here.
Only what was delivered is remembered: the corrected resend of an event that was refused is sent.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from schemas.messaging import BUSINESS_MESSAGING
from worker.intake import Sendable
from worker.store import Entry, Remembered

_PRINT_BYTES: Final = 8  # of two million events of a dataset two have the same print once in ten million cases
_SLOTS: Final = 4


class Repetitions:
    """The repetitions in one batch, and what to remember of it."""

    def __init__(self, batch: Iterable[Sendable], window_seconds: int) -> None:
        """Take the valid events of a batch; with a window of 0 nothing is a repetition."""
        self._batch = tuple(batch)
        self._slot_ms = window_seconds * 1000 // _SLOTS
        self._prints = (
            {item.entry.id: _print_of(item) for item in self._batch if _has_twins(item)} if window_seconds else {}
        )
        self._twins: dict[bytes, list[Entry]] = {}

    @property
    def prints(self) -> Sequence[bytes]:
        """What the events are remembered by, those of them that can be repeated."""
        return tuple(self._prints.values())

    def slots(self, now_ms: int) -> Sequence[int]:
        """Return the slots of time that reach back over the window, the current one first.

        A whole slot is forgotten at once: an event is remembered for the window at least, a quarter longer at most.
        """
        current = now_ms // self._slot_ms
        return range(current, current - _SLOTS - 1, -1)

    def part(self, delivered: frozenset[bytes]) -> tuple[list[Sendable], list[Entry]]:
        """Part what is to be sent from what repeats a delivered event.

        Of events that repeat each other the first is to be sent; the others wait for what becomes of it.
        """
        send: list[Sendable] = []
        repeated: list[Entry] = []
        for item in self._batch:
            mark = self._prints.get(item.entry.id)
            if mark is None:
                send.append(item)
            elif mark in delivered:
                repeated.append(item.entry)
            elif mark in self._twins:
                self._twins[mark].append(item.entry)
            else:
                self._twins[mark] = []
                send.append(item)
        return send, repeated

    def twins_of(self, part: Iterable[Sendable]) -> list[Entry]:
        """Return what repeats these events, which were delivered; each once."""
        marks = (self._prints.get(item.entry.id) for item in part)
        return [twin for mark in marks if mark for twin in self._twins.pop(mark, ())]

    def remembered(self, part: Iterable[Sendable], now_ms: int) -> Remembered | None:
        """Return what to remember of these events, which were delivered."""
        prints = [mark for item in part if (mark := self._prints.get(item.entry.id))]
        return Remembered(self.slots(now_ms), (_SLOTS + 1) * self._slot_ms, prints) if prints else None


def _has_twins(item: Sendable) -> bool:
    return bool(item.event_id) and item.action_source != BUSINESS_MESSAGING


def _print_of(item: Sendable) -> bytes:
    return hashlib.blake2b(f"{item.event_name}\n{item.event_id}".encode(), digest_size=_PRINT_BYTES).digest()
