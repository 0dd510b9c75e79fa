"""Find where each event stands in a JSON document, so that each can be decoded strictly by itself: pure."""

import json
import re
from collections.abc import Callable

_SPACE = re.compile(r"[ \t\r\n]*")
# Only the places count here, so numbers are not read: one of 5000 digits is its own event's problem.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)

Span = tuple[int, int, int]
"""The line an event begins at, and its first and last place in the text."""


class UnreadableDocumentError(Exception):
    """The document is no JSON from some line on, so where its events end is unknown."""


def spans(text: str, *, first_line: int = 1) -> tuple[list[Span], set[str]]:
    """Return the place of every event, and the keys that stand beside ``data``.

    The document is an array of events, an object whose ``data`` is one, one event, or several of these.

    Raises:
        UnreadableDocumentError: it is no JSON.
    """
    reader = _Reader(text)
    try:
        reader.read()
    except (json.JSONDecodeError, _UnexpectedError) as error:
        line = first_line + text.count("\n", 0, error.pos)
        raise UnreadableDocumentError(f"it is no JSON at line {line}: {error.msg}") from None
    except RecursionError:
        raise UnreadableDocumentError("objects and arrays are nested too deep") from None
    found, line, before = [], first_line, 0
    for start, end in reader.found:
        line += text.count("\n", before, start)
        before = start
        found.append((line, start, end))
    return found, reader.keys


class _UnexpectedError(Exception):
    def __init__(self, msg: str, pos: int) -> None:
        super().__init__(msg)
        self.msg, self.pos = msg, pos


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.found: list[tuple[int, int]] = []
        self.keys: set[str] = set()

    def read(self) -> None:
        """Read all values of the document's top level."""
        while self._next():
            if self._next() == "[":
                self._each("]", self._event)
            elif self._next() == "{":
                self._object()
            else:
                self._event()

    def _object(self) -> None:
        """Take an object as the events in its ``data``, or as one event."""
        start, before = self._at, len(self.found)
        keys: set[str] = set()
        self._each("}", lambda: self._member(keys))
        if "data" not in keys or "event_name" in keys:
            self.found[before:] = [(start, self._at)]
        else:
            self.keys |= keys

    def _member(self, keys: set[str]) -> None:
        if self._next() != '"':
            raise _UnexpectedError("a key in quotes is missing", self._at)
        key = str(self._value())
        keys.add(key)
        if self._next() != ":":
            raise _UnexpectedError("a colon is missing", self._at)
        self._at += 1
        if key == "data" and self._next() == "[":
            self._each("]", self._event)
        else:
            self._next()
            self._value()

    def _each(self, closing: str, read_one: Callable[[], None]) -> None:
        """Read what stands between brackets, parted by commas."""
        self._at += 1
        if self._next() == closing:
            self._at += 1
            return
        while True:
            self._next()
            read_one()
            sign = self._next()
            self._at += 1
            if sign == closing:
                return
            if sign != ",":
                raise _UnexpectedError(f"a comma or {closing} is missing", self._at - 1)

    def _event(self) -> None:
        start = self._at
        self._value()
        self.found.append((start, self._at))

    def _value(self) -> object:
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def _next(self) -> str:
        """Step over white space and return the character there, empty at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]
