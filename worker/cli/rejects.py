"""``send --rejects``: leave out what Meta would refuse, and write it to a file to be mended and sent again."""

import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from capi_relay import Producer
from capi_relay.datasets import DatasetFile
from capi_relay.errors import InvalidEvent
from schemas import Problem
from worker.cli.csv_events import CsvFile
from worker.cli.csv_mapping import REMARKS
from worker.cli.event_files import Found
from worker.cli.opening import prepared
from worker.cli.source import Source
from worker.dead_verdict import verdict_of

_MOST_CODES = 10
_TOO_OLD = Problem("event_time", "too_old", "older than Meta takes: 7 days, or 62 for physical_store")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is not sent."""

    codes: tuple[str, ...]
    reason: str
    """In words, without any value of it."""


class Rejects:
    """Parts what may be sent from what may not, and writes the latter down when it is settled that it was read."""

    def __init__(
        self, target: TextIO, source: Source, producer: Producer, datasets: DatasetFile, dataset_id: str | None
    ) -> None:
        """Write nothing yet.

        Args:
            target: the open file.
            source: what is read; rows of a CSV file are written as such, with its columns.
            producer: prepares each event as it would be enqueued.
            datasets: for what their events get by default.
            dataset_id: of the events that do not say their own.
        """
        self._target = target
        self._source = source
        self._producer = producer
        self._datasets = datasets
        self._dataset_id = dataset_id
        self._waiting: list[tuple[Found, Refusal]] = []
        self._headed = target.tell() > 0 if target.seekable() else False

    def checked(self, events: Iterator[Found]) -> Iterator[Found]:
        """Yield all that was found, and what may not be sent as what is no event."""
        for found in events:
            refusal = self._refusal(found)
            if refusal is None:
                yield found
            else:
                self._waiting.append((found, refusal))
                yield replace(found, event=None, reason=refusal.reason)

    def write(self, before: int | None = None) -> None:
        """Write what was refused by now, or only what has a lower number: the others will be read again."""
        for found, refusal in self._waiting:
            if before is None or found.number < before:
                self._write_one(found, refusal)
        self._waiting.clear()
        self._target.flush()

    def _refusal(self, found: Found) -> Refusal | None:
        if found.event is None:
            return Refusal((found.code,), found.reason)
        dataset_id = found.dataset_id or self._dataset_id
        if dataset_id is None:  # the sender says what is to be done about it
            return None
        try:
            encoded, _ = prepared(self._producer, found.event, self._datasets.get(dataset_id))
        except InvalidEvent as error:
            return Refusal(("undecodable",), str(error))
        return refusal_of(encoded, now_seconds=time.time())

    def _write_one(self, found: Found, refusal: Refusal) -> None:
        remarks = (found.line, " ".join(refusal.codes), refusal.reason)
        if isinstance(self._source, CsvFile):
            self._write_row(found, remarks)
            return
        told = dict(zip(("line", "codes", "reason"), (found.line, refusal.codes, refusal.reason), strict=True))
        content = {"raw": found.raw.decode(errors="replace")} if found.event is None else {"event": found.event}
        dataset_id = found.dataset_id or self._dataset_id
        self._target.write(json.dumps({"rejected": told, "dataset_id": dataset_id, **content}) + "\n")

    def _write_row(self, found: Found, remarks: tuple[object, ...]) -> None:
        assert isinstance(self._source, CsvFile)  # noqa: S101 - looked at by who calls
        writer = csv.writer(self._target, delimiter=self._source.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        if not self._headed:
            writer.writerow([*REMARKS, *_own(self._source.header, self._source.header)])
            self._headed = True
        text = found.raw.decode(errors="replace").rstrip("\r\n")
        cells = next(csv.reader([text], delimiter=self._source.delimiter), [])
        writer.writerow([*remarks, *_own(self._source.header, cells)])


def refusal_of(encoded: bytes, *, now_seconds: float) -> Refusal | None:
    """Say why Meta would refuse an event as it would be sent now, None if it would take it."""
    verdict = verdict_of(encoded, now_seconds=now_seconds, ours=True)
    if not verdict.door:
        return None
    problems = verdict.problems[:_MOST_CODES] or (_TOO_OLD,)
    codes = tuple(dict.fromkeys(f"{problem.path}:{problem.code}" for problem in problems))
    return Refusal(codes, "; ".join(f"{problem.path}: {problem.message}" for problem in problems))


def _own(header: list[str], cells: list[str]) -> list[str]:
    """Leave out the remarks of an earlier time, where the row was a reject already."""
    return [cell for place, cell in enumerate(cells) if place >= len(header) or header[place] not in REMARKS]
