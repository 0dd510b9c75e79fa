"""What becomes late while it waits makes way for newer events of its dataset."""

from capi_relay import keys
from capi_relay.wire import encode
from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, MakeSite, Site
from tests.integration.store.hand import LANE

LATE = f"{DATASET}/late"
HOUR_MS = 3_600_000


def put_back_in_time(site: Site, *event_ids: str, hours: float = 2, first: int = 1) -> None:
    """Put events into the lane as the producer did so many hours ago."""
    enqueued_ms = site.hand.now_ms() - int(hours * HOUR_MS)
    for place, event_id in enumerate(event_ids, start=first):
        site.hand.redis.xadd(
            keys.stream(0, LANE),
            {"e": encode(purchase(event_id, event_time=enqueued_ms // 1000)), "m": f'{{"v":1,"t":{enqueued_ms}}}'},
            id=f"{enqueued_ms // 1000 * 1000}-{place}",
        )


def sent_ids(meta: Simulator) -> list[str]:
    return [event["event_id"] for event in meta.events(DATASET)]


def test_new_events_do_not_wait_behind_stale_ones(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="2")
    put_back_in_time(site, "old-1", "old-2", "old-3")
    site.enqueue("new")
    tally = site.turn()

    assert (tally.requests, site.hand.length(LATE), site.hand.length()) == (0, 3, 1)
    site.hand.redis.zadd(keys.due(0), {LATE: site.hand.now_ms() + HOUR_MS})
    site.run_all()
    site.hand.ripen(LATE)
    site.run_all()
    assert sent_ids(meta)[0] == "new"
    assert sorted(sent_ids(meta)) == ["new", "old-1", "old-2", "old-3"]
    assert (site.counter("fresh"), site.counter("late"), site.counter("born_late")) == (1, 3, 0)
    assert site.hand.size("bytes") == 0


def test_what_is_nearly_late_is_moved_too_so_that_the_next_turns_send(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="2")
    put_back_in_time(site, "old-1", "old-2")
    put_back_in_time(site, "nearly-1", "nearly-2", hours=0.95)
    put_back_in_time(site, "fresh-1", "fresh-2", hours=0.8)
    site.enqueue("new")
    site.turn()
    site.hand.redis.zadd(keys.due(0), {LATE: site.hand.now_ms() + HOUR_MS})
    tally = site.turn()

    assert site.hand.length(LATE) == 4
    assert (tally.requests, sent_ids(meta)) == (1, ["fresh-1", "fresh-2"])


def test_a_backlog_that_fits_one_batch_stays_together(site: Site, meta: Simulator) -> None:
    put_back_in_time(site, "old-1", "old-2")
    site.enqueue("new")
    site.turn()

    assert sent_ids(meta) == ["old-1", "old-2", "new"]


def test_what_may_be_delivered_already_is_not_moved(make_site: MakeSite) -> None:
    site = make_site(CAPI_BATCH_EVENTS="2")
    put_back_in_time(site, "old-1", "old-2", "old-3")
    site.enqueue("new")
    lease = site.claim()
    assert lease
    site.hand.store.lanes.mark(lease, 1, lease.entries)
    site.hand.ripen()
    site.turn()

    assert site.hand.length(LATE) == 0


def test_an_event_of_another_hand_that_tells_no_time_stays_where_it_is(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="1")
    late_ms = site.hand.now_ms() - 2 * HOUR_MS
    site.hand.redis.xadd(keys.stream(0, LANE), {"e": encode(purchase("foreign"))}, id=f"{late_ms // 1000 * 1000}-1")
    put_back_in_time(site, "old", hours=1, first=2)
    site.enqueue("new")
    site.turn()
    site.hand.redis.zadd(keys.due(0), {LATE: site.hand.now_ms() + HOUR_MS})
    site.turn()

    assert (sent_ids(meta), site.hand.length(LATE)) == (["foreign"], 1)


def test_a_lane_whose_lease_was_lost_keeps_its_events(make_site: MakeSite) -> None:
    site = make_site(CAPI_BATCH_EVENTS="1")
    put_back_in_time(site, "old-1", "old-2")
    site.enqueue("new")
    zombie = site.claim()
    assert zombie
    site.hand.ripen()
    assert site.claim()

    assert site.hand.store.lanes.move_late(zombie, 3600) == 0
    assert (site.hand.length(), site.hand.length(LATE)) == (3, 0)


def test_an_event_that_another_hand_puts_in_during_the_lease_is_counted_though_it_is_moved(site: Site) -> None:
    site.enqueue("a")
    lease = site.claim()
    assert lease
    site.hand.foreign(e="b", m='{"v":1,"t":5}')
    assert site.hand.store.lanes.move_late(lease, -1) == 2
    site.hand.store.admin.sweep()

    assert site.counts().unaccounted == 0
