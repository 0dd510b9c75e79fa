"""A stale backlog: new events of the same dataset do not wait behind it, and it drains beside them."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
import redis

from capi_relay import keys
from capi_relay.personal import protect
from capi_relay.wire import encode
from tests.acceptance.site import Site, running_site
from tests.fakes import events

DATASET, TOKENS = "1001", {"1001": "token"}
BACKLOG = 200_000
HOURS_OLD = 2
LINGER_SECONDS = 0.5
# A batch, or the moving of 20,000 events, may be under way when an event comes.
PROMISED_SECONDS = 5.0
CALL_EVENTS = 50
DRAIN_SECONDS = 50


@dataclass(frozen=True, slots=True)
class Drained:
    """What arrived while a stale backlog drained beside new events."""

    site: Site
    sent: dict[str, float]
    """When each new event was enqueued."""
    arrived: dict[str, float]
    """When each event arrived, old and new."""


@pytest.fixture(scope="module")
def drained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drained]:
    """Sell while the backlog drains, from the worker's first second on."""
    with running_site(tmp_path_factory.mktemp("backlog"), TOKENS) as site:
        put_backlog(site)
        site.relay.start_worker()
        sent = sell_until_drained(site)
        site.wait_until_empty()
        arrived = {row["event_id"]: row["at"] for row in site.meta.events(DATASET)}
        yield Drained(site, sent, arrived)


def put_backlog(site: Site) -> None:
    """Put events into the lane as producers did hours ago."""
    enqueued_ms = int(time.time() - HOURS_OLD * 3600) * 1000
    event = protect(events.lead("old-NUMBER", event_time=enqueued_ms // 1000))[0]
    before, _, after = encode(event).partition(b"NUMBER")
    lane = keys.lane_of(DATASET, "0")
    stream, fields = keys.stream(0, lane), {"m": f'{{"v":1,"t":{enqueued_ms}}}'}
    with closing(redis.Redis.from_url(site.relay.server.url)) as client:
        for first in range(0, BACKLOG, 5_000):
            pipeline = client.pipeline(transaction=False)
            for number in range(first, first + 5_000):
                entry = {"e": before + str(number).encode() + after, **fields}
                pipeline.xadd(stream, entry, id=f"{enqueued_ms}-{number + 1}")  # type: ignore[arg-type] # an invariant dict
            pipeline.execute()
        client.sadd(keys.datasets(0), DATASET)
        client.sadd(keys.lanes(0, DATASET), lane)
        client.zadd(keys.due(0), {lane: enqueued_ms})


def sell_until_drained(site: Site) -> dict[str, float]:
    """Enqueue new events all the while; return when each was."""
    sent: dict[str, float] = {}
    end = time.monotonic() + DRAIN_SECONDS
    while site.counted("late") < BACKLOG:
        assert time.monotonic() < end, f"{site.counted('late')} of the backlog came through"
        ids = [f"new-{len(sent) + number}" for number in range(CALL_EVENTS)]
        site.accept([events.lead(event_id) for event_id in ids], DATASET)
        sent |= dict.fromkeys(ids, time.time())
        time.sleep(0.1)  # the pace of a busy shop, no wait for anything
    return sent


def test_new_events_do_not_wait_for_the_backlog(drained: Drained) -> None:
    ages = [drained.arrived[event_id] - at for event_id, at in drained.sent.items()]

    assert max(ages) < LINGER_SECONDS + PROMISED_SECONDS


def test_the_backlog_drains_while_new_events_keep_coming(drained: Drained) -> None:
    old = sorted(at for event_id, at in drained.arrived.items() if event_id.startswith("old-"))

    assert len(old) == BACKLOG
    assert old[BACKLOG * 9 // 10] < max(drained.sent.values())


def test_every_event_leaves_once_and_the_old_ones_count_as_late(drained: Drained) -> None:
    counts = drained.site.store.admin.counts(DATASET)

    assert (counts.unaccounted, drained.site.meta.ledger()["duplicates"]) == (0, 0)
    assert (counts.counters["late"], counts.counters["fresh"]) == (BACKLOG, len(drained.sent))
