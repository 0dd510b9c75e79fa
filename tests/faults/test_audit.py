"""The audit itself: each kind of wrong book is found, or a campaign that finds nothing would prove nothing."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.faults.books import AcceptLog, Books, StoreDump, violations
from worker.store import DatasetCounts

DATASET, TOKEN = "1", "secret"


def _line(event_id: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    fingerprint = sha256(TOKEN.encode()).hexdigest()[:12]
    return {"dataset": DATASET, "token_fingerprint": fingerprint, "event_id": event_id, "sha256": "f", **changes}


def _counts(**changes: Any) -> DatasetCounts:  # noqa: ANN401 - the fields of the record
    doors = {"delivered": 1, "rejected": 1}
    same: dict[str, Any] = {"counters": {"enqueued": 2, "requests": 2}, "stored": 0, "in_flight": 0, "doors": doors}
    return DatasetCounts(
        **{"dataset_id": DATASET, "now_ms": 0, "oldest_ms": None, "dead_letters": 1, "pause": None, **same, **changes}
    )


STORE = StoreDump({DATASET: _counts()}, {DATASET: [("b", "rejected")]}, {"1/0": (0, False, False)}, (), 9, 9, "")
LOG = AcceptLog({"a": (DATASET, "f"), "b": (DATASET, "f")}, calls=[frozenset("ab")])
GOOD = Books(LOG, [_line("a")], {DATASET: 2}, {DATASET: TOKEN}, STORE, {"log": "fine"}, ("secret",))


def test_right_books_are_found_right() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(
    ("books", "found"),
    [
        (replace(GOOD, taken=[]), "lost"),
        (replace(GOOD, taken=[]), "half a call"),
        (replace(GOOD, taken=[_line("a"), _line("x")]), "invented"),
        (replace(GOOD, taken=[_line("a", sha256="0")]), "changed"),
        (replace(GOOD, taken=[_line("a", token_fingerprint="0")]), "mixed up"),
        (replace(GOOD, taken=[_line("a"), _line("a")]), "duplicates"),
        (replace(GOOD, asked={DATASET: 3}), "unmarked"),
        (replace(GOOD, log=AcceptLog({"a": (DATASET, "f")})), "stored twice"),
        (replace(GOOD, store=replace(STORE, counts={DATASET: _counts(stored=1)})), "books"),
        (replace(GOOD, store=replace(STORE, counts={DATASET: _counts(stored=1)})), "stuck"),
        (replace(GOOD, store=replace(STORE, lanes={"1/0": (1, False, False)})), "index"),
        (replace(GOOD, store=replace(STORE, lanes={"1/0": (1, True, True)})), "index"),
        (replace(GOOD, store=replace(STORE, states=("capi1:{s0}:st:1/0",))), "left over"),
        (replace(GOOD, store=replace(STORE, bytes_counted=10)), "left over"),
        (replace(GOOD, store=replace(STORE, text="a secret")), "leaked"),
        (replace(GOOD, sinks={"log": "Bearer secret"}), "leaked"),
    ],
    ids=str.split(
        "lost half invented changed mixed duplicates unmarked again books stuck nowhere both state bytes store log"
    ),
)
def test_wrong_books_are_found_wrong(books: Books, found: str) -> None:
    assert any(each.startswith(found) for each in violations(books))
