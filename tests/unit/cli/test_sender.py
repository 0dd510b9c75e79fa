from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from capi_relay import InvalidEvent, Overloaded, Producer, Receipt
from worker.cli.event_files import Found
from worker.cli.sender import Account, NoDatasetError, Sender, StoppedError

Outcome = Receipt | InvalidEvent | Overloaded
FULL = Overloaded("the event store is full")


class Scripted(Producer):
    """A producer whose store answers as it is told, call by call; at the end of the script it accepts everything."""

    def __init__(self, *script: str) -> None:
        super().__init__("redis://127.0.0.1:1")
        self.script = iter(script)
        self.calls: list[tuple[str | None, list[Any]]] = []

    def enqueue_many(self, events: Iterable[Mapping[str, Any]], *, dataset_id: str | None = None) -> list[Outcome]:
        listed = list(events)
        self.calls.append((dataset_id, [event["event_id"] for event in listed]))
        answers = next(self.script, "").ljust(len(listed), "a")
        outcomes: dict[str, Outcome] = {"a": Receipt("1"), "f": FULL, "i": InvalidEvent("it is no event")}
        return [outcomes[answer] for answer in answers[: len(listed)]]


def found(*dataset_ids: str | None) -> Iterator[Found]:
    for number, dataset_id in enumerate(dataset_ids, start=1):
        yield Found(number, number + 10, {"event_name": "Lead"}, dataset_id)


def send(producer: Producer, *dataset_ids: str | None, wait_seconds: float = 30) -> Account:
    sender = sender_of(producer, wait_seconds)
    sender.send(found(*dataset_ids))
    return sender.account


def sender_of(producer: Producer, wait_seconds: float) -> Sender:
    return Sender(producer, dataset_id=None, wait_seconds=wait_seconds, on_wait=lambda _: None, on_chunk=lambda: None)


def test_an_event_that_is_enqueued_again_is_the_same_event() -> None:
    producer = Scripted("f")
    send(producer, "1")

    assert producer.calls[0] == producer.calls[1]


def test_only_what_was_not_accepted_is_enqueued_again() -> None:
    producer = Scripted("aif")
    account = send(producer, "1", "1", "1")

    assert producer.calls[1][1] == producer.calls[0][1][2:]
    assert (account.accepted, account.refused) == (2, 1)


def test_each_dataset_has_its_own_call() -> None:
    producer = Scripted()
    send(producer, "1", "2", "1")

    assert [(dataset_id, len(ids)) for dataset_id, ids in producer.calls] == [("1", 2), ("2", 1)]


def test_it_stops_when_nothing_is_accepted_for_so_long() -> None:
    producer = Scripted(*["f" * 9] * 9)

    with pytest.raises(StoppedError, match="the event store is full"):
        send(producer, "1", wait_seconds=0.15)
    assert len(producer.calls) > 1


def test_as_long_as_something_is_accepted_it_does_not_stop() -> None:
    producer = Scripted("aff", "ff", "af", "f")

    assert send(producer, "1", "1", "1", wait_seconds=0.15).accepted == 3


def test_where_it_stops_it_says_which_event_is_next_and_what_is_done_beyond() -> None:
    producer = Scripted("aa", *["ff"] * 9)
    with pytest.raises(StoppedError) as stopped:
        send(producer, "1", "2", "1", "2", wait_seconds=0)

    assert (stopped.value.event, stopped.value.line, stopped.value.accepted_after) == (2, 12, 1)


def test_events_without_a_dataset_are_not_sent_at_all() -> None:
    producer = Scripted()

    with pytest.raises(NoDatasetError):
        send(producer, None, "1")
    assert producer.calls == []
