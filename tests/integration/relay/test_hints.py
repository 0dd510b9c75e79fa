"""Hints on a real broker: one connection for many ticks, which survives a restart of the broker and a fork."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from celery import Celery

from tests.fakes.relay import wait_until
from tests.fakes.server import EmbeddedServer
from worker.beat import CappedScheduler
from worker.broker_url import broker_url_of
from worker.errors import BrokerUnavailable
from worker.hints import Hints
from worker.repeats import DropRepeats

TIMEOUTS = {"socket_timeout": 2, "socket_connect_timeout": 2}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "broker") as server:
        yield server


@pytest.fixture
def app(broker: EmbeddedServer) -> Iterator[Celery]:
    made = Celery("hints", broker=broker_url_of(broker.url), set_as_current=False)
    made.conf.update(
        broker_pool_limit=2,
        broker_connection_timeout=0.5,
        broker_transport_options=TIMEOUTS,
        task_default_queue="capi",
        beat_schedule={"tick": {"task": "capi.tick", "schedule": 0.0}},
    )
    yield made
    pool: Any = made.pool  # typed wrongly by its stubs
    pool.force_close_all()
    made.close()


@pytest.fixture
def hints(app: Celery) -> Hints:
    return Hints(app)


def connections_made(broker: EmbeddedServer) -> int:
    with redis.Redis.from_url(broker.url) as client:
        return int(client.info("stats")["total_connections_received"])


def answers(hints: Hints) -> bool:
    try:
        hints.queued()
    except BrokerUnavailable:
        return False
    return True


def test_ticks_share_one_connection(hints: Hints, broker: EmbeddedServer) -> None:
    hints.publish(1)
    hints.queued()
    before = connections_made(broker)
    for _ in range(10):
        hints.publish(1)
        hints.queued()

    assert connections_made(broker) - before == 1  # the one that asked
    assert hints.queued() == 11


def test_a_restart_of_the_broker_costs_one_refusal_at_most(hints: Hints, broker: EmbeddedServer) -> None:
    hints.publish(1)
    broker.kill()

    with pytest.raises(BrokerUnavailable, match="away or refuses"):
        hints.queued()
    broker.start()
    wait_until(lambda: answers(hints), "the broker is found again", seconds=10)
    assert hints.publish(2) == 2


def test_a_broker_that_stays_away_uses_up_no_connection_of_the_pool(hints: Hints, broker: EmbeddedServer) -> None:
    hints.queued()
    broker.kill()
    refused = [answers(hints) for _ in range(5)]
    broker.start()

    assert refused == [False] * 5
    assert hints.queued() == 0


def test_a_forked_child_does_not_use_its_parents_socket(hints: Hints) -> None:
    hints.publish(1)
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        os._exit(0 if answers(hints) and hints.publish(1) == 1 else 1)
    hints.publish(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert hints.queued() == 3


def test_beat_says_once_that_the_broker_is_away_and_goes_on_when_it_is_back(
    app: Celery, broker: EmbeddedServer
) -> None:
    scheduler = CappedScheduler(app=app)
    scheduler.tick()
    broker.kill()
    with structlog.testing.capture_logs(processors=[DropRepeats()]) as logs:
        began = time.monotonic()
        for _ in range(3):
            scheduler.tick()
        took = time.monotonic() - began
    broker.start()
    wait_until(lambda: scheduler.tick() is not None and answers(Hints(app)) and Hints(app).queued() > 0, "beat goes on")

    assert [line["event"] for line in logs] == ["beat publishes nothing until the broker answers"]
    assert took < 10
