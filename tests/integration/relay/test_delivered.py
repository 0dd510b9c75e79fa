"""Batches that Meta takes, and what is counted of them."""

import json
import time
from dataclasses import replace

from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, OTHER, SHARING, TOKENS, MakeSite, Site
from worker.store import Exit, Settlement


def test_a_batch_is_delivered_in_one_request(site: Site, meta: Simulator) -> None:
    site.enqueue("a", "b", "c")
    tally = site.turn()

    assert (tally.lanes, tally.requests, dict(tally.doors)) == (1, 1, {"delivered": 3})
    assert [line["event_id"] for line in meta.events(DATASET)] == ["a", "b", "c"]
    assert site.doors() == {"delivered": 3}
    assert (site.counter("fresh"), site.counter("requests"), site.counts().stored) == (3, 1, 0)


def test_the_stored_bytes_are_what_meta_gets(site: Site, meta: Simulator) -> None:
    site.enqueue("a", custom_data={"value": 1.50, "currency": "EUR", "note": "\u2028 Zoë"})
    lease = site.claim()
    assert lease
    site.run(lease)

    assert [line["event"] for line in meta.events(DATASET, raw=True)] == [json.loads(lease.entries[0].event)]


def test_test_event_code_and_partner_agent_go_with_each_request(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site()
    site.write_datasets(TOKENS, test_event_code="TEST123", partner_agent="shop-kit-2")
    site.enqueue("a")
    site.turn()
    (line,) = meta.events(DATASET)

    assert (line["test_event_code"], line["partner_agent"]) == ("TEST123", "shop-kit-2")


def test_each_dataset_has_requests_of_its_own_with_its_own_token(site: Site, meta: Simulator) -> None:
    for dataset_id in (DATASET, SHARING, OTHER):
        site.enqueue("a", dataset_id=dataset_id)
    for _ in range(3):
        site.turn()

    assert meta.ledger()["accepted_requests"] == 3
    assert {line["dataset"] for line in meta.events()} == {DATASET, SHARING, OTHER}


def test_a_batch_is_no_larger_than_the_settings_say(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="2")
    site.enqueue("a", "b", "c")
    site.turn()
    site.turn()

    assert meta.ledger()["largest_request_events"] == 2
    assert site.doors() == {"delivered": 3}


def test_late_events_are_told_from_fresh_ones_and_from_those_that_came_late(make_site: MakeSite) -> None:
    site = make_site(CAPI_FRESHNESS_SECONDS="60")
    now = int(time.time())
    site.enqueue_events(
        [purchase("fresh", now), purchase("born late", now - 600), purchase("on the edge", now - 30)],
    )
    site.turn()

    assert (site.counter("fresh"), site.counter("late"), site.counter("born_late")) == (2, 1, 1)


def test_an_event_that_waited_too_long_here_is_late_but_not_born_late(make_site: MakeSite) -> None:
    site = make_site(CAPI_FRESHNESS_SECONDS="1")
    site.enqueue("a", event_time=int(time.time()))
    lease = site.claim()
    assert lease
    # The store's clock is ahead: as if the lease had come ten seconds later.
    site.run(replace(lease, now_ms=lease.now_ms + 10_000))

    assert (site.counter("late"), site.counter("born_late")) == (1, 0)


def test_what_meta_did_not_count_is_counted_and_not_sent_again(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "received_short", "missing": 2}])
    site.enqueue("a", "b", "c", "d")
    site.turn()

    assert site.doors() == {"delivered": 4}
    assert (site.counter("shortfall"), site.counts().stored) == (2, 0)
    assert meta.ledger()["requests"] == 1


def test_what_a_zombie_delivered_is_counted_once(site: Site, meta: Simulator) -> None:
    site.enqueue("a", "b")
    zombie = site.claim()
    assert zombie
    site.hand.ripen()
    site.turn()
    settled = site.hand.store.lanes.settle(
        zombie, Settlement("release", exits=[Exit(("delivered", "fresh"), zombie.entries)])
    )

    assert (settled.owned, settled.removed) == (False, (0,))
    assert site.doors() == {"delivered": 2}
    assert meta.ledger()["requests"] == 1


def test_a_lane_is_drained_batch_by_batch_by_one_pump(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="100")
    site.enqueue(*map(str, range(450)))
    tally = site.runtime.pump.run()

    assert (tally.lanes, dict(tally.doors)) == (5, {"delivered": 450})
    assert meta.ledger()["duplicates"] == 0
    assert site.hand.state() == {}


def test_a_pump_waits_for_a_lane_that_falls_due_soon(make_site: MakeSite) -> None:
    site = make_site()
    site.producer._linger_seconds = 0.5
    site.enqueue("a")
    before = time.monotonic()
    tally = site.runtime.pump.run()

    assert dict(tally.doors) == {"delivered": 1}
    assert time.monotonic() - before < 5
