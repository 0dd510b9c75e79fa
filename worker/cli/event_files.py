"""Read events from a file: JSON lines, a JSON array, ``{"data": [...]}``; each strictly, with its line.

JSON lines are read line by line, however large the file is; a document is read as a whole. Where an event of its own
dataset stands among others it is wrapped: ``{"dataset_id": "123", "event": {...}}``, as ``dead export`` writes it too.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from capi_relay.errors import InvalidEvent
from capi_relay.wire import MAX_EVENT_BYTES, decode
from worker.cli.json_document import spans
from worker.cli.opening import is_dataset_id

_MAX_LINE_BYTES = MAX_EVENT_BYTES + 2
MARK = b"\xef\xbb\xbf"
"""The byte order mark that some editors put in front."""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one place of the file: an event, or the reason why it is none."""

    number: int
    """The first one is 1."""
    line: int
    event: dict[str, Any] | None
    dataset_id: str | None = None
    """Its own dataset, where it is wrapped."""
    reason: str = ""
    """Why there is no event; never with a value of it."""
    code: str = "undecodable"
    """The reason in a word."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """What stands there, where it is no event or a row of a table."""


class EventFile:
    """The events of one open file, read once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.position = 0
        """How far it has been read: about so many bytes."""
        self.says_test_event_code = False
        """Whether the document holds a test_event_code beside its data."""

    def __iter__(self) -> Iterator[Found]:
        """Yield what the file holds.

        Raises:
            UnreadableDocumentError: an array or object of events is no JSON; nothing was yielded.
        """
        line, first = 1, self._read().removeprefix(MARK)
        while first and not first.strip():
            line, first = line + 1, self._read()
        found = self._of_document(line, first) if _is_document(first) else self._of_lines(line, first)
        for number, (line_number, data) in enumerate(found, start=1):
            yield _found(number, line_number, data)

    def _read(self) -> bytes:
        """Read one line, or the beginning of one that is longer than any event."""
        data = self._stream.readline(_MAX_LINE_BYTES)
        self.position += len(data)
        return data

    def _of_lines(self, number: int, line: bytes) -> Iterator[tuple[int, bytes]]:
        while line:
            if line.strip():
                yield number, line.strip()
            while not line.endswith(b"\n") and line:  # the rest of a line that is too long
                line = self._read()
            number, line = number + 1, self._read()

    def _of_document(self, number: int, first: bytes) -> Iterator[tuple[int, bytes]]:
        # What is no UTF-8 becomes the same bytes again below, so that it refuses its own event only.
        text = (first + self._stream.read()).decode("utf-8", "surrogateescape")
        found, keys = spans(text, first_line=number)
        self.says_test_event_code = "test_event_code" in keys
        for line, start, end in found:
            self.position = end
            yield line, text[start:end].encode("utf-8", "surrogateescape")


def _is_document(line: bytes) -> bool:
    """Say whether the file's first line begins a document of several events, rather than being an event itself."""
    text = line.strip()
    if not text.startswith(b"{"):
        return text.startswith(b"[")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(error.doc) or not line.endswith(b"\n")  # it goes on in the next line
    except (ValueError, RecursionError):
        return False
    return isinstance(value.get("data"), list) and "event_name" not in value


def _found(number: int, line: int, data: bytes) -> Found:
    try:
        event = decode(data)
    except InvalidEvent as error:
        return Found(number, line, None, reason=str(error), raw=data)
    if "event" not in event or "dataset_id" not in event:
        return Found(number, line, event)
    dataset_id, event = event["dataset_id"], event["event"]
    if not is_dataset_id(dataset_id):
        return Found(
            number, line, None, reason="dataset_id is not the dataset's number as text: 1 to 32 digits", raw=data
        )
    if not isinstance(event, dict):
        return Found(number, line, None, reason="event is no JSON object", raw=data)
    return Found(number, line, event, dataset_id)
