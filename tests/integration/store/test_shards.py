"""How many shards there are is decided once, by the first who connects, and everybody else keeps to it."""

from contextlib import closing

import pytest
import redis

from capi_relay import Producer, keys
from capi_relay.errors import MisconfiguredError
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from worker.store import Store

IDS = ("11", "12", "13", "14", "15", "16", "17", "18")


def test_the_first_worker_decides_and_the_others_adopt_it(event_store: EmbeddedServer) -> None:
    with closing(Store(event_store.url, shards=4)) as first, closing(Store(event_store.url)) as second:
        assert (first.shards, second.shards) == (4, 4)


def test_a_worker_that_says_something_else_is_refused(event_store: EmbeddedServer) -> None:
    with closing(Store(event_store.url, shards=4)) as first, closing(Store(event_store.url, shards=2)) as second:
        assert first.shards == 4
        with pytest.raises(MisconfiguredError, match="CAPI_SHARDS is 2, but the event store was set up with 4"):
            second.admin.dataset_ids()


def test_a_producer_that_says_something_else_is_refused(event_store: EmbeddedServer) -> None:
    with closing(Store(event_store.url, shards=4)) as first:
        assert first.shards == 4
    with (
        closing(Producer(event_store.url, shards=1)) as producer,
        pytest.raises(MisconfiguredError, match="CAPI_SHARDS is 1, but the event store was set up with 4"),
    ):
        producer.enqueue(purchase(), dataset_id="1")


def test_a_number_of_shards_that_is_none_is_said(event_store: EmbeddedServer) -> None:
    with redis.Redis.from_url(event_store.url, protocol=2) as client:
        client.set(keys.SHARDS, "four")
    with (
        closing(Producer(event_store.url)) as producer,
        pytest.raises(MisconfiguredError, match="capi1:shards in the event store is not the number of its shards"),
    ):
        producer.enqueue(purchase(), dataset_id="1")


def test_the_events_of_all_shards_are_found_and_counted(event_store: EmbeddedServer) -> None:
    with closing(Producer(event_store.url, shards=4, linger_seconds=0, deadline_seconds=20)) as producer:
        for dataset_id in IDS:
            producer.enqueue(purchase(), dataset_id=dataset_id)
    leased = []
    with closing(Store(event_store.url)) as store:
        while lease := store.lanes.claim(store.lanes.look(), max_events=10, max_bytes=100_000):
            leased.append((lease.shard, lease.dataset_id))
        counts = [store.admin.counts(dataset_id) for dataset_id in store.admin.dataset_ids()]

    assert sorted(leased) == sorted((keys.shard_of(dataset_id, 4), dataset_id) for dataset_id in IDS)
    assert len({shard for shard, _ in leased}) > 1
    assert [(each.stored, each.in_flight, each.unaccounted) for each in counts] == [(1, 1, 0)] * len(IDS)
