"""Rows 1-8 and 64 of the fault matrix: a worker is killed at a known instruction, by its own events, or in a hurry."""

import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.site import running_site
from tests.fakes import events
from tests.fakes.relay import wait_until
from tests.faults.books import AcceptLog, Books, books_of, violations
from tests.faults.cases import EVENTS_EACH, TOKENS, Case, run

# One thread, and a Meta that takes everything: the figures are exact.
CASES = {
    place: Case(place, "kill", threads=1, weather=())
    for place in ("after_claim", "after_mark", "mid_post", "after_post", "after_settle")
}
LOST_LEASE = {"CAPI_LEASE_SECONDS": "1", "CAPI_HTTP_TOTAL_SECONDS": "0.5", "CAPI_LINGER_SECONDS": "0"}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Books]]:
    """Kill a worker at each of these places, two sites at a time."""
    folders = [tmp_path_factory.mktemp("k") for _ in CASES]
    with ThreadPoolExecutor(2) as pool:
        books = pool.map(run, CASES.values(), folders)
        yield dict(zip(CASES, books, strict=True))


@pytest.mark.parametrize("place", CASES)
def test_a_kill_anywhere_loses_nothing_and_leaves_nothing_behind(killed: Mapping[str, Books], place: str) -> None:
    assert violations(killed[place]) == []


def test_a_kill_after_the_claim_sends_nothing_twice_and_doubts_nothing(killed: Mapping[str, Books]) -> None:
    books = killed["after_claim"]

    assert (books.duplicates, books.counter("possible_duplicates")) == (0, 0)


@pytest.mark.parametrize("place", ["after_mark", "mid_post"])
def test_a_kill_between_mark_and_a_whole_body_sends_nothing_twice_and_is_counted_as_doubt(
    killed: Mapping[str, Books], place: str
) -> None:
    books = killed[place]

    assert (books.duplicates, books.counter("possible_duplicates")) == (0, EVENTS_EACH)


def test_a_kill_after_metas_answer_sends_one_batch_twice_and_counts_it(killed: Mapping[str, Books]) -> None:
    books = killed["after_post"]

    assert (books.duplicates, books.counter("possible_duplicates")) == (EVENTS_EACH, EVENTS_EACH)


def test_a_kill_after_the_settle_sends_nothing_twice(killed: Mapping[str, Books]) -> None:
    books = killed["after_settle"]

    assert (books.duplicates, books.counter("possible_duplicates")) == (0, 0)


def test_an_event_that_kills_every_worker_becomes_a_dead_letter_and_its_neighbours_go_on(tmp_path: Path) -> None:
    dataset_id = next(iter(TOKENS))
    with running_site(tmp_path, TOKENS, **LOST_LEASE) as site:
        site.accept([events.lead("killer")], dataset_id)
        for _ in range(3):
            worker = site.relay.start_worker(ready=False, concurrency=1, CAPI_FAILPOINT="after_claim:kill")
            assert worker.wait(20) == -signal.SIGKILL
        site.relay.start_worker(concurrency=1)
        site.wait_until_empty()
        site.accept([events.lead("neighbour")], dataset_id)
        site.wait_until_empty()
        site.relay.command("reconcile", code=0)

        assert (site.counted("crashed"), set(site.occurrences())) == (1, {"neighbour"})


def test_a_worker_that_is_told_to_quit_at_once_loses_nothing(tmp_path: Path) -> None:
    log = AcceptLog()
    with running_site(tmp_path, TOKENS, **LOST_LEASE) as site:
        site.meta.faults([{"kind": "slow", "seconds": 0.4}])
        for name in TOKENS:
            sold = [events.lead(f"{name}-{n}") for n in range(2_000)]
            site.accept(sold, name)
            log.in_doubt |= {event["event_id"]: (name, "") for event in sold}
        worker = site.relay.start_worker()
        wait_until(lambda: site.meta.ledger()["accepted_requests"] >= 1, "a request is in flight", every=0.01)
        os.killpg(worker.pid, signal.SIGQUIT)  # Celery gives what runs twenty seconds then; the successor need not wait
        site.meta.faults()
        site.relay.start_worker()
        site.wait_until_empty()
        books = books_of(site, log, TOKENS)
        site.relay.command("reconcile", code=0)

        assert log.in_doubt.keys() == books.occurrences().keys()
        assert books.duplicates <= books.counter("possible_duplicates")
