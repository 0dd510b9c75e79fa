"""Read events from a CSV file, row by row: a wrong row is told and never stops the rest, the memory stays small."""

import csv
import time
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final

from worker.cli.csv_mapping import Columns, CsvMapping, MappingError
from worker.cli.csv_times import RowError
from worker.cli.event_files import MARK, Found
from worker.cli.json_document import UnreadableDocumentError

_MAX_ROW_BYTES: Final = 262_144
_MAX_ROW_LINES: Final = 1000
_DELIMITERS: Final = ",;\t|"


class CsvFile:
    """The rows of one open CSV file as events, read once."""

    def __init__(self, stream: BinaryIO, mapping: CsvMapping) -> None:
        self._stream = stream
        self._mapping = mapping
        self._delimiter = mapping.delimiter
        self._again: deque[bytes] = deque()
        self._line = 0
        self.position = 0
        """How far it has been read: about so many bytes."""
        self.says_test_event_code = False
        self.header: list[str] = []
        """The names of the columns, once the first event was asked for."""
        self.has_ids = True
        """Whether a column says the event_id."""

    @property
    def delimiter(self) -> str:
        """Return what parts the cells."""
        return self._delimiter or ","

    def __iter__(self) -> Iterator[Found]:
        """Yield what the rows hold.

        Raises:
            UnreadableDocumentError: the header does not say what the columns are; nothing was yielded.
        """
        columns = self._columns()
        number = 0
        while self._peek():
            line, record, error = self._record()
            if not error and not record.strip():
                continue
            number += 1
            yield self._found(columns, number, line, record, error)

    def _columns(self) -> Columns:
        if first := self._peek():
            self._again[0] = first.removeprefix(MARK)
        _, record, error = self._record()
        if error:
            raise UnreadableDocumentError(f"the header: {error}")
        try:
            text = record.decode()
        except UnicodeDecodeError:
            raise UnreadableDocumentError("the header is not UTF-8: save the file as CSV in UTF-8") from None
        self._delimiter = self._delimiter or max(_DELIMITERS, key=text.count)
        try:
            self.header = [name.strip() for name in self._cells(text)]
            columns = Columns(self._mapping, self.header)
        except (MappingError, RowError) as problem:
            raise UnreadableDocumentError(str(problem)) from None
        self.has_ids = columns.has_ids
        return columns

    def _found(self, columns: Columns, number: int, line: int, record: bytes, error: RowError | None) -> Found:
        if error:
            return Found(number, line, None, reason=str(error), code=error.code, raw=record)
        try:
            event, dataset_id = columns.event(self._cells(record.decode()), now=int(time.time()))
        except UnicodeDecodeError:
            return Found(number, line, None, reason="the row is not UTF-8", code="bad_encoding", raw=record)
        except RowError as problem:
            return Found(number, line, None, reason=str(problem), code=problem.code, raw=record)
        return Found(number, line, event, dataset_id, raw=record)

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self.delimiter, strict=True), [])
        except csv.Error:
            raise RowError("bad_quotes", "a quote is opened and not closed, or text follows a closed one") from None

    def _record(self) -> tuple[int, bytes, RowError | None]:
        """Read one row: more than a line where a quoted cell has line breaks. An open quote costs one line only."""
        first = self._read()
        line = self._line
        if len(first) >= _MAX_ROW_BYTES:
            return line, first, RowError("too_large", f"the row is longer than {_MAX_ROW_BYTES} bytes")
        taken, size, quotes = [first], len(first), first.count(b'"')
        while quotes % 2 and size < _MAX_ROW_BYTES and len(taken) < _MAX_ROW_LINES and (more := self._read()):
            taken.append(more)
            size, quotes = size + len(more), quotes + more.count(b'"')
        if quotes % 2 == 0:
            return line, b"".join(taken), None
        self._again.extendleft(reversed(taken[1:]))
        self._line -= len(taken) - 1
        return line, first, RowError("open_quote", "a quote is opened and never closed")

    def _peek(self) -> bytes:
        if not self._again and (data := self._stream.readline(_MAX_ROW_BYTES)):
            self.position += len(data)
            self._again.append(data)
        return self._again[0] if self._again else b""

    def _read(self) -> bytes:
        """Return one line, or the beginning of one that is too long; the rest of that is skipped."""
        data = self._peek()
        if not data:
            return b""
        self._again.popleft()
        self._line += 1
        rest = data
        while len(rest) >= _MAX_ROW_BYTES and not rest.endswith(b"\n"):
            rest = self._stream.readline(_MAX_ROW_BYTES)
            self.position += len(rest)
        return data
