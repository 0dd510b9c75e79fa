"""The metrics of a real relay: they say what the ledger says, and nothing that they must not say."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from capi_relay import keys
from tests.fakes.events import digest
from tests.fakes.relay import ROOT, wait_until
from tests.fakes.server import EmbeddedServer
from tests.integration.metrics.conftest import PLANTED, Day
from worker.broker_url import broker_url_of
from worker.hints import BROKER_OPTIONS
from worker.metrics.exposition import registry_of, text_of
from worker.metrics.reading import Reading, read
from worker.store import DOORS, Store
from worker.store.histograms import DELIVERY_AGE, QUEUE_AGE


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every line of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


def total(text: str, name: str) -> float:
    return sum(number for (found, _), number in samples(text).items() if found == name)


def ledger(day: Day) -> dict[str, Any]:
    """Return both sides of the equation, all datasets added up."""
    datasets = json.loads(day.relay.command("reconcile", "--json").stdout)["datasets"].values()
    return {name: sum(each[name] for each in datasets) for name in ("enqueued", "waiting", "in_flight", "doors")}


def test_the_sums_of_the_metrics_are_those_of_reconcile(day: Day) -> None:
    text, books = day.metrics(), ledger(day)

    assert books["doors"] > 300
    assert total(text, "capi_events_total") == books["doors"]
    assert total(text, "capi_enqueued_total") == books["enqueued"]
    assert value(text, "capi_waiting_events") == books["waiting"]
    assert value(text, "capi_in_flight_events") == books["in_flight"]


def test_the_datasets_add_up_to_the_installation(day: Day) -> None:
    text = day.metrics()

    for door in DOORS:
        each = [
            number
            for (name, labels), number in samples(text).items()
            if name == "capi_dataset_events_total" and ("door", door) in labels
        ]
        assert sum(each) == value(text, "capi_events_total", door=door)


def test_every_delivered_event_is_in_one_bucket_of_each_age(day: Day) -> None:
    text = day.metrics()
    delivered = value(text, "capi_events_total", door="delivered")

    assert delivered == 301
    assert value(text, "capi_delivery_age_seconds_count") == delivered
    assert value(text, "capi_queue_age_seconds_count") == delivered
    assert (
        value(text, "capi_delivery_age_seconds_bucket", le="3600") == value(text, "capi_delivered_fresh_total") == 300
    )
    assert value(text, "capi_delivery_age_seconds_sum") > 2 * 24 * 3600


def test_the_faults_of_the_day_are_seen(day: Day) -> None:
    text = day.metrics()

    assert value(text, "capi_post_seconds_count", outcome="Transient") == 2
    assert value(text, "capi_events_total", door="rejected") == 2
    assert value(text, "capi_events_total", door="invalid") > 5
    assert value(text, "capi_paused", reason="no_token") == 1
    assert total(text, "capi_post_seconds_count") == value(text, "capi_requests_total")
    assert value(text, "capi_possible_duplicates_total") >= 300


def test_the_worker_is_seen(day: Day) -> None:
    text = day.metrics()
    (sign,) = day.store.workers.seen()

    assert value(text, "capi_workers") == 1
    assert value(text, "capi_worker_slots", worker=sign.name) == 16
    assert value(text, "capi_worker_rss_bytes", worker=sign.name) > 10_000_000
    assert 0 < time.time() - value(text, "capi_worker_last_batch_seconds", worker=sign.name) < 600


def test_nothing_of_a_person_and_no_token_is_told(day: Day) -> None:
    text = day.metrics()
    identifiers = {
        each for event in day.events for found in event["event"]["user_data"].values() for each in words_of(found)
    }

    assert digest(PLANTED[0]) in identifiers
    assert [each for each in (*PLANTED, *identifiers) if len(each) > 3 and each in text] == []
    assert re.findall(r"[0-9a-f]{32,}|@|Purchase|Lead|good-|sku-", text) == []


def words_of(found: object) -> Iterator[str]:
    """Yield the texts of one field of user_data."""
    for each in found if isinstance(found, list) else [found]:
        yield str(each)


def test_they_are_served_until_the_process_is_told_to_end(day: Day) -> None:
    serving = subprocess.Popen(
        [sys.executable, "-m", "worker", "metrics", "--port", "0"],
        cwd=ROOT,
        env=day.relay.env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert serving.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+/metrics", serving.stderr.readline())
    assert found is not None
    with urllib.request.urlopen(found[0], timeout=20) as answer:
        text = answer.read().decode()
    serving.send_signal(signal.SIGTERM)
    code = serving.wait(20)
    serving.stderr.close()

    assert value(text, "capi_events_total", door="delivered") == 301
    assert code == 0


def reading_of(store: Store, url: str) -> Reading:
    return read(store, broker_url_of(url), BROKER_OPTIONS)


def test_a_store_that_is_away_is_told_and_the_metrics_come_back_with_it(own_store: EmbeddedServer) -> None:
    store = Store(own_store.url)
    registry = registry_of(lambda: reading_of(store, own_store.url))
    own_store.kill()
    away = samples(text_of(registry))
    own_store.start()
    wait_until(lambda: value(text_of(registry), "capi_store_up") == 1, "the metrics are back")
    store.close()

    assert away == {("capi_store_up", frozenset()): 0.0}


def test_a_broker_that_is_away_costs_the_scrape_one_metric_only(event_store: EmbeddedServer) -> None:
    store = Store(event_store.url)
    text = text_of(registry_of(lambda: read(store, "redis://127.0.0.1:1/0", BROKER_OPTIONS)))
    store.close()

    assert value(text, "capi_store_up") == 1
    assert "capi_hints_queued" not in text


@pytest.fixture
def ten_thousand(event_store: EmbeddedServer) -> EmbeddedServer:
    """Return a store of ten thousand datasets with every counter that a dataset usually has."""
    ages = {field: 1 for each in (DELIVERY_AGE, QUEUE_AGE) for field in each._fields}
    with redis.Redis.from_url(event_store.url) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(10_000):
            name, delivered = str(100_000 + number), {"delivered": number, "fresh": number}
            pipeline.sadd(keys.datasets(0), name)
            pipeline.sadd(keys.lanes(0, name), f"{name}/0")
            pipeline.hset(keys.counters(0, name), mapping={"enqueued": 1, "requests": 5, **delivered, **ages})
            pipeline.execute_command("XADD", keys.stream(0, f"{name}/0"), "*", "e", "an event", "m", "}")
        pipeline.execute()
    return event_store


def test_ten_thousand_datasets_are_read_in_two_seconds_and_a_hundred_are_named(ten_thousand: EmbeddedServer) -> None:
    store = Store(ten_thousand.url)
    registry = registry_of(lambda: reading_of(store, ten_thousand.url))
    began = time.process_time()
    text = text_of(registry)
    seconds = time.process_time() - began
    store.close()
    named = {dict(labels)["dataset"] for name, labels in samples(text) if name == "capi_dataset_enqueued_total"}

    assert seconds < 2
    assert (
        value(text, "capi_datasets")
        == value(text, "capi_waiting_events")
        == value(text, "capi_enqueued_total")
        == 10_000
    )
    assert named == {str(number) for number in range(109_900, 110_000)}
    assert len(text) < 1_000_000
