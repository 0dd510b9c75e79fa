"""Failures that pass: nothing is lost, what may have been delivered is counted when it is sent again."""

from typing import Any

import pytest

from tests.fakes.server import EmbeddedServer, free_port
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import TOKENS, MakeSite, Site
from worker.errors import StoreUnavailable
from worker.graph import GraphClient

IN_DOUBT: list[dict[str, Any]] = [
    {"kind": "status_500"},
    {"kind": "html"},
    {"kind": "html_200"},
    {"kind": "empty_200"},
    {"kind": "truncated_json"},
    {"kind": "torn"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "hang", "seconds": 3},
    {"kind": "received_zero"},
    {"kind": "gzip_bomb"},
]
RECORDED = ("truncated_json", "torn", "reset_after")


@pytest.mark.parametrize("fault", IN_DOUBT, ids=lambda fault: fault["kind"])
def test_what_may_have_been_delivered_is_sent_again_and_counted(
    make_site: MakeSite, meta: Simulator, fault: dict[str, Any]
) -> None:
    site = make_site(CAPI_HTTP_TOTAL_SECONDS="1")
    meta.faults([{**fault, "times": 1}])
    site.enqueue("a", "b", "c")
    site.turn()
    stored, waits, tries = site.counts().stored, site.held_seconds(), site.hand.state()["tries"]
    site.hand.ripen()
    site.turn()

    assert (stored, waits <= 1, tries) == (3, True, "1")
    assert site.doors() == {"delivered": 3}
    assert site.counter("possible_duplicates") == 3
    assert meta.ledger()["duplicates"] == (3 if fault["kind"] in RECORDED else 0)
    assert site.hand.state() == {}


@pytest.mark.parametrize("code", [1, 2, 21009])
def test_a_clean_refusal_that_may_pass_leaves_no_doubt(site: Site, meta: Simulator, code: int) -> None:
    meta.faults([{"kind": "code", "code": code, "status": 400, "times": 1}])
    site.enqueue("a")
    site.turn()
    site.hand.ripen()
    site.turn()

    assert site.doors() == {"delivered": 1}
    assert site.counter("possible_duplicates") == 0


def test_the_wait_that_an_answer_asks_for_is_kept(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "status_500", "headers": {"Retry-After": "120"}}])
    site.enqueue("a")
    site.turn()

    assert 115 < site.held_seconds() <= 120


def test_waits_grow_with_the_failures_in_a_row(site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    meta.faults([{"kind": "status_500"}])
    site.enqueue("a")
    waits = []
    for _ in range(5):
        site.hand.ripen()
        site.turn()
        waits.append(round(site.held_seconds()))

    assert waits == [1, 2, 4, 8, 16]


def test_where_duplicates_are_not_wanted_the_doubtful_are_parked(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site()
    site.write_datasets(TOKENS, on_in_doubt="hold")
    meta.faults([{"kind": "reset_after", "times": 1}])
    site.enqueue("a", "b")
    site.turn()
    site.enqueue("c")
    site.hand.ripen()
    site.turn()

    assert site.doors() == {"delivered": 1, "parked": 2}
    assert [letter.reason for letter in site.letters()] == ["parked", "parked"]
    assert (meta.ledger()["duplicates"], site.counter("possible_duplicates")) == (0, 0)


def test_a_machine_that_cannot_reach_meta_leaves_the_lane_to_others(make_site: MakeSite) -> None:
    site = make_site(f"http://127.0.0.1:{free_port()}")
    site.enqueue("a", "b")
    site.turn()

    assert site.held_seconds() <= 0
    assert (site.counts().stored, site.hand.state().get("tries", "0")) == (2, "0")
    assert site.runtime.pump._breaker.allows() is False


def test_another_machine_delivers_at_once_and_without_a_doubt(make_site: MakeSite, meta: Simulator) -> None:
    cut_off, connected = make_site(f"http://127.0.0.1:{free_port()}"), make_site(meta.url)
    cut_off.enqueue("a")
    cut_off.turn()
    connected.turn()

    assert connected.doors() == {"delivered": 1}
    assert connected.counter("possible_duplicates") == 0


def test_a_pump_stops_when_its_machine_cannot_reach_meta(make_site: MakeSite) -> None:
    site = make_site(f"http://127.0.0.1:{free_port()}")
    for dataset_id in TOKENS:
        site.enqueue("a", dataset_id=dataset_id)
    tally = site.runtime.pump.run()

    assert (tally.lanes, tally.requests) == (1, 1)


def test_the_breaker_closes_with_the_first_answer(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(meta.url)
    meta.faults([{"kind": "status_500", "times": 1}])
    breaker = site.runtime.pump._breaker
    breaker.failed()
    site.enqueue("a")
    site.turn()

    assert breaker.allows()


def test_nothing_is_posted_when_the_store_cannot_be_written(
    own_store: EmbeddedServer, meta: Simulator, make_site: MakeSite
) -> None:
    # A holder waits for a quarter of its lease.
    site = make_site(store_url=own_store.url, CAPI_LEASE_SECONDS="2", CAPI_HTTP_TOTAL_SECONDS="1")
    site.enqueue("a")
    lease = site.claim()
    assert lease
    own_store.stop()
    with pytest.raises(StoreUnavailable):
        site.run(lease)
    own_store.start()

    assert meta.ledger()["requests"] == 0


def test_an_outage_of_the_store_before_the_mark_is_no_death_of_a_worker(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> bool:
        raise StoreUnavailable("away")

    site.enqueue("a", "b")
    pump = site.runtime.pump
    with monkeypatch.context() as patched:
        patched.setattr(site.runtime.store.lanes, "mark", away)
        for _ in range(7):
            with pytest.raises(StoreUnavailable):
                pump.run()
            assert pump.give_back() == 1
    assert "deaths" not in site.hand.state()
    pump.run()

    assert site.doors() == {"delivered": 2}
    assert meta.ledger()["requests"] == 1


def test_what_was_posted_before_the_store_went_away_is_sent_again_at_once_and_counted(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = site.runtime.store.lanes
    settle = lanes.settle

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    site.enqueue("a", "b")
    with monkeypatch.context() as patched:
        patched.setattr(lanes, "settle", away)
        with pytest.raises(StoreUnavailable):
            site.runtime.pump.run()
    assert lanes.settle == settle
    site.runtime.pump.run()

    assert meta.ledger()["requests"] == 2
    assert (site.doors(), site.counter("possible_duplicates")) == ({"delivered": 2}, 2)


def test_nothing_is_posted_after_the_lease_was_lost(site: Site, meta: Simulator) -> None:
    site.enqueue("a")
    lease = site.claim()
    assert lease
    site.hand.ripen()
    successor = site.claim()
    assert successor
    site.run(lease)

    assert meta.ledger()["requests"] == 0
    assert site.hand.state()["tok"] == successor.token


def test_a_worker_that_dies_in_its_post_leaves_the_batch_in_doubt(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(GraphClient, "post", die)
    site.enqueue("a")
    with pytest.raises(MemoryError):
        site.turn()
    monkeypatch.undo()
    site.hand.ripen()
    site.turn()

    assert site.doors() == {"delivered": 1}
    assert (site.counter("possible_duplicates"), meta.ledger()["duplicates"]) == (1, 0)
