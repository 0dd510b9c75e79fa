"""Enqueue event after event, wait where the event store does not take them, and keep the account of it."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from capi_relay import InvalidEvent, Overloaded, Producer, Receipt
from worker.cli.event_files import Found

_CHUNK_EVENTS = 1000
_TOLD = 20
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class Account:
    """What became of a file's events."""

    accepted: int = 0
    refused: int = 0
    warned: int = 0
    """Accepted, but with something left out or changed."""
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason of the first ones."""
    warnings: list[tuple[int, str]] = field(default_factory=list)

    def accept(self, line: int, warnings: Iterable[str]) -> None:
        """Count an accepted event."""
        self.accepted += 1
        told = [(line, text) for text in warnings]
        self.warned += bool(told)
        self.warnings += told[: _TOLD - len(self.warnings)]

    def refuse(self, line: int, reason: str) -> None:
        """Count an event that can never be sent as it stands."""
        self.refused += 1
        if len(self.refusals) < _TOLD:
            self.refusals.append((line, reason))


class StoppedError(Exception):
    """The file was not sent to its end: with which event to go on, and how many after it are accepted already."""

    def __init__(self, reason: str, event: int, line: int, accepted_after: int) -> None:
        super().__init__(reason)
        self.event = event
        """Its number in the file, the first one is 1."""
        self.line = line
        self.accepted_after = accepted_after


class NoDatasetError(Exception):
    """The file's events do not say their dataset, and nothing else does: nothing was sent."""


class Sender:
    """Sends what a file holds to the datasets it is for."""

    def __init__(
        self,
        producer: Producer,
        *,
        dataset_id: str | None,
        wait_seconds: float,
        on_wait: Callable[[str], None],
        on_chunk: Callable[[], None],
    ) -> None:
        """Send nothing yet.

        Args:
            producer: accepts the events.
            dataset_id: of the events that do not say their own.
            wait_seconds: so long without any event accepted, and it stops.
            on_wait: is told why it waits.
            on_chunk: is called when some more of the file is done.
        """
        self.account = Account()
        self._producer = producer
        self._dataset_id = dataset_id
        self._wait_seconds = wait_seconds
        self._on_wait = on_wait
        self._on_chunk = on_chunk

    def send(self, events: Iterator[Found]) -> None:
        """Enqueue all events.

        Raises:
            StoppedError: the event store did not take them for too long, or Ctrl-C was pressed.
            NoDatasetError: nothing says which dataset the first event is for.
        """
        next_number, next_line = 1, 1
        while True:
            chunk: list[Found] = []
            done: set[int] = set()
            try:
                chunk.extend(islice(events, _CHUNK_EVENTS))
                for dataset_id, group in self._by_dataset(chunk, done).items():
                    self._enqueue(dataset_id, group, done)
            except (Overloaded, KeyboardInterrupt) as error:
                left = [(found.number, found.line) for found in chunk if found.number not in done]
                number, line = left[0] if left else (next_number, next_line)
                after = sum(found.number in done and found.number > number for found in chunk)
                raise StoppedError(str(error) or "interrupted", number, line, after) from None
            self._on_chunk()
            if not chunk:
                return
            next_number, next_line = chunk[-1].number + 1, chunk[-1].line + 1

    def _by_dataset(self, chunk: list[Found], done: set[int]) -> dict[str, list[Found]]:
        """Part events by their dataset, and refuse what is none or has no dataset."""
        waiting: dict[str, list[Found]] = {}
        for found in chunk:
            dataset_id = found.dataset_id or self._dataset_id
            if found.event is not None and dataset_id is not None:
                again = replace(found, event=_with_identity(found.event))
                waiting.setdefault(dataset_id, []).append(again)
                continue
            if found.event is not None and not (waiting or self.account.accepted):
                raise NoDatasetError
            self.account.refuse(found.line, found.reason or "it does not say its dataset, and --dataset is not given")
            done.add(found.number)
        return waiting

    def _enqueue(self, dataset_id: str, group: list[Found], done: set[int]) -> None:
        """Enqueue events of one dataset; raises Overloaded when it waited long enough."""
        progress_at, wait_seconds = time.monotonic(), _FIRST_WAIT_SECONDS
        while group:
            outcomes = self._producer.enqueue_many([found.event or {} for found in group], dataset_id=dataset_id)
            left: list[Found] = []
            refusal: Overloaded | None = None
            for found, outcome in zip(group, outcomes, strict=True):
                match outcome:
                    case Receipt(warnings=warnings):
                        self.account.accept(found.line, warnings)
                    case InvalidEvent():
                        self.account.refuse(found.line, str(outcome))
                    case Overloaded():
                        left.append(found)
                        refusal = outcome
                        continue
                done.add(found.number)
            if refusal is None:
                return
            if len(left) < len(group):
                progress_at, wait_seconds = time.monotonic(), _FIRST_WAIT_SECONDS
            patience_seconds = progress_at + self._wait_seconds - time.monotonic()
            if patience_seconds <= 0:
                raise refusal
            self._on_wait(str(refusal))
            time.sleep(min(wait_seconds, patience_seconds))
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)
            group = left


def _with_identity(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with an id and a time, so that one enqueued again after a lost answer is the same to Meta."""
    given = {key: value for key, value in event.items() if value is not None}
    return {"event_id": uuid.uuid4().hex, "event_time": int(time.time()), **given}
