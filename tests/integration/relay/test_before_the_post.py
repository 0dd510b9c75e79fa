"""What leaves before any request, and what stops one from being sent."""

import time

import pytest

from capi_relay import keys
from tests.fakes.events import bad_events, purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, Site
from worker.dead_letters import purge, replay
from worker.graph import GraphClient
from worker.meta import Meta, read_meta
from worker.store import Entry

DAY = 86_400


def test_what_is_bad_takes_its_door_before_the_rest_is_sent(site: Site, meta: Simulator) -> None:
    now = int(time.time())
    site.enqueue("good")
    site.enqueue_events([bad_events()["unknown_key"]])
    site.enqueue("future", event_time=now + DAY)
    site.hand.foreign(lane=f"{DATASET}/0", e="{torn")
    site.hand.foreign(lane=f"{DATASET}/0", junk="1")
    tally = site.turn()

    assert site.doors() == {"delivered": 1, "invalid": 2, "undecodable": 2}
    assert (dict(tally.doors), tally.requests) == ({"delivered": 1, "invalid": 2, "undecodable": 2}, 1)
    assert meta.ledger()["accepted_requests"] == 1


def test_an_expired_event_is_not_sent(site: Site, meta: Simulator) -> None:
    site.enqueue("old", event_time=int(time.time()) - 8 * DAY)
    site.turn()

    assert (site.doors(), meta.ledger()["requests"]) == ({"expired": 1}, 0)
    assert site.hand.state(f"{DATASET}/late") == {}


def test_a_physical_store_event_may_be_two_months_old(site: Site) -> None:
    site.enqueue("till", event_time=int(time.time()) - 60 * DAY, action_source="physical_store")
    site.turn()

    assert site.doors() == {"delivered": 1}


def test_an_event_of_a_newer_format_is_left_for_a_newer_worker(site: Site) -> None:
    site.enqueue("a")
    site.hand.foreign(lane=f"{DATASET}/0", e="from the future", m='{"v":2}')
    site.turn()

    assert (site.doors(), site.counts().stored) == ({"delivered": 1}, 1)


def test_what_kills_its_workers_is_not_looked_at_again(site: Site, meta: Simulator) -> None:
    site.enqueue("killer")
    site.hand.die(3)
    tally = site.turn()
    (letter,) = site.letters()

    assert (site.doors(), dict(tally.doors)) == ({"crashed": 1}, {"crashed": 1})
    assert (letter.reason, meta.ledger()["requests"]) == ("crashed", 0)


def test_a_replayed_dead_letter_is_delivered_with_its_first_enqueue_time(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue("poison")
    site.turn()
    meta.faults()
    letters = list(site.hand.store.dead.read(DATASET))
    first = read_meta(Entry(letters[0].id, letters[0].event, letters[0].meta))
    assert first

    def put_back(*, dry_run: bool) -> tuple[int, int]:
        count = replay(
            site.hand.store, letters, lanes_of={}, now_seconds=time.time(), freshness_seconds=3600, dry_run=dry_run
        )
        return count.replayed, count.gone

    counts = [put_back(dry_run=True), put_back(dry_run=False), put_back(dry_run=False)]
    lease = site.claim()
    assert lease
    meta_again = read_meta(lease.entries[0])
    site.run(lease)

    assert counts == [(1, 0), (1, 0), (0, 1)]
    assert site.doors() == {"delivered": 1, "rejected": 1}
    assert meta_again == Meta(first.enqueued_ms, first.warnings, replays=1)


def test_purged_dead_letters_are_gone(site: Site) -> None:
    site.enqueue_events([bad_events()["unknown_key"], bad_events()["weak_identifiers"]])
    site.turn()
    gone = purge(site.hand.store, site.hand.store.dead.read(DATASET))

    assert (gone, site.counts().dead_letters, site.doors()) == (2, 0, {"invalid": 2})


def test_a_worker_that_shuts_down_in_the_middle_of_a_bisect_gives_the_lane_back(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue(*map(str, range(50)), "poison")
    post, posts = GraphClient.post, []

    def post_and_stop(client: GraphClient, *arguments: object) -> object:
        posts.append(1)
        if len(posts) == 3:
            site.shutdown.set()
        return post(client, *arguments)  # type: ignore[arg-type] # those of post

    monkeypatch.setattr(GraphClient, "post", post_and_stop)
    site.turn()
    held, stored, tries = site.held_seconds(), site.counts().stored, site.hand.state().get("tries", "0")
    site.shutdown._flag[0] = 0
    site.turn()

    assert len(posts) > 3
    assert (held <= 0, 0 < stored < 51, tries) == (True, True, "0")
    assert site.doors() == {"delivered": 50, "rejected": 1}
    assert (meta.ledger()["duplicates"], site.counter("possible_duplicates")) == (0, 0)


def test_a_worker_that_shuts_down_takes_no_lane(site: Site, meta: Simulator) -> None:
    site.enqueue("a")
    site.shutdown.set()
    tally = site.runtime.pump.run()

    assert (tally.lanes, meta.ledger()["requests"]) == (0, 0)
    assert site.hand.redis.zscore(keys.due(0), f"{DATASET}/0") is not None


def test_the_largest_batch_goes_out_whole(site: Site, meta: Simulator) -> None:
    site.enqueue_events([purchase(str(number)) for number in range(1000)])
    site.turn()

    assert meta.ledger()["largest_request_events"] == 1000
    assert site.doors() == {"delivered": 1000}
