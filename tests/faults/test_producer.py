"""Rows 65 to 67, 71 and 76 of the fault matrix: a producer or a replay is killed, and an event loop must go on."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from capi_relay import Overloaded, Producer
from tests.fakes.events import lead
from tests.fakes.server import EmbeddedServer
from tests.faults.books import Books, violations
from tests.faults.cases import Case, run
from tests.faults.shop import CALL_EVENTS, CALLS

CASES = {
    place: Case(place, "kill", nth=3)
    for place in ("before_append", "after_append", "after_spool", "in_spool_drain", "after_replay", "in_dead_replay")
}
LONGEST_TURN_SECONDS = 0.1


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Books]]:
    """Kill a producer or a replay at each of these places, two sites at a time."""
    folders = [tmp_path_factory.mktemp("k") for _ in CASES]
    with ThreadPoolExecutor(2) as pool:
        yield dict(zip(CASES, pool.map(run, CASES.values(), folders), strict=True))


def test_a_producer_killed_before_the_append_has_stored_its_earlier_calls_only(killed: Mapping[str, Books]) -> None:
    books = killed["before_append"]

    assert violations(books) == []
    assert len(books.occurrences()) == len(books.log.accepted) == 2 * CALL_EVENTS


def test_a_producer_killed_after_the_append_has_stored_the_whole_call_once(killed: Mapping[str, Books]) -> None:
    books = killed["after_append"]

    assert violations(books) == []
    assert (len(books.occurrences()), books.duplicates) == (3 * CALL_EVENTS, 0)
    assert len(books.log.accepted) == 2 * CALL_EVENTS < CALLS * CALL_EVENTS


def test_a_producer_killed_after_it_spooled_has_kept_the_whole_call(killed: Mapping[str, Books]) -> None:
    books = killed["after_spool"]

    assert violations(books) == []
    assert (len(books.occurrences()), books.duplicates) == (3 * CALL_EVENTS, 0)


def test_a_spool_whose_drain_is_killed_is_drained_by_the_next_process_and_each_call_once(
    killed: Mapping[str, Books],
) -> None:
    books = killed["in_spool_drain"]

    assert violations(books) == []
    assert (len(books.occurrences()), books.counter("enqueued")) == (CALLS * CALL_EVENTS, CALLS * CALL_EVENTS)


@pytest.mark.parametrize("place", ["after_replay", "in_dead_replay"])
def test_a_replay_killed_in_the_middle_and_run_again_replays_each_dead_letter_once(
    killed: Mapping[str, Books], place: str
) -> None:
    books = killed[place]

    assert violations(books) == []
    assert (len(books.occurrences()), books.duplicates, books.counter("replayed")) == (6, 0, 6)


def test_an_event_loop_goes_on_while_the_store_is_frozen(own_store: EmbeddedServer) -> None:
    """From asyncio a producer is called through ``asyncio.to_thread``: not even a stall blocks the loop."""

    async def sell(producer: Producer) -> tuple[list[float], Exception | None]:
        turns = []
        call = asyncio.create_task(asyncio.to_thread(producer.enqueue, lead("b"), dataset_id="1001"))
        while not call.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            turns.append(time.monotonic() - before)
        error = call.exception()
        return turns, error if isinstance(error, Exception) else None

    with closing(Producer(own_store.url)) as producer:
        producer.enqueue(lead("a"), dataset_id="1001")
        assert own_store.pid
        os.kill(own_store.pid, signal.SIGSTOP)
        try:
            turns, error = asyncio.run(sell(producer))
        finally:
            os.kill(own_store.pid, signal.SIGCONT)

    assert isinstance(error, Overloaded)
    assert len(turns) > 5
    assert sorted(turns)[len(turns) // 2] < LONGEST_TURN_SECONDS
