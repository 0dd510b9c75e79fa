"""The producer's connections: which are kept, which are closed, and that no call ever reads another call's answer."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest

from capi_relay import Overloaded, Producer
from capi_relay.errors import InDoubt
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer, free_port
from tests.integration.producer.proxy import Proxy, proxy_to
from tests.integration.producer.stored import Stored


class Interrupted(BaseException):
    """As KeyboardInterrupt and GreenletExit, no Exception."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    port = free_port()
    with EmbeddedServer(tmp_path / "own", port=port, appendonly=False), proxy_to(port) as running:
        yield running


def patient(url: str) -> Producer:
    """Return a producer whose deadline no busy machine reaches; a step of it is 0.4 of that."""
    return Producer(url, default_dataset_id="1001", deadline_seconds=2)


def open_connections(stored: Stored) -> int:
    """Count the clients of the server besides the one that asks."""
    return len(stored.redis.client_list()) - 1


def test_calls_one_after_the_other_use_one_connection(producer: Producer, stored: Stored) -> None:
    before = open_connections(stored)
    for number in range(5):
        producer.enqueue(purchase(f"order-{number}"))

    assert open_connections(stored) == before + 1


def test_an_error_that_was_read_to_its_end_leaves_the_connection_in_use(producer: Producer, stored: Stored) -> None:
    before = open_connections(stored)
    producer.enqueue(purchase("first"))
    stored.redis.config_set("maxmemory", 1)
    with pytest.raises(Overloaded, match=r"refused the events \((OOM|OutOfMemoryError)\)"):
        producer.enqueue(purchase("refused"))
    stored.redis.config_set("maxmemory", 0)
    producer.enqueue(purchase("second"))

    assert stored.ids() == ["first", "second"]
    assert open_connections(stored) == before + 1


def test_a_server_that_is_no_longer_the_master_is_not_asked_twice_over_one_connection(
    own_store: EmbeddedServer,
) -> None:
    with closing(patient(own_store.url)) as producer, closing(Stored(own_store.url)) as stored:
        producer.enqueue(purchase("first"))
        before = open_connections(stored)
        stored.redis.replicaof("127.0.0.1", "1")
        with pytest.raises(Overloaded, match=r"refused the events \(READONLY|ReadOnlyError\)"):
            producer.enqueue(purchase("refused"))

        assert open_connections(stored) == before - 1
        stored.redis.replicaof("NO", "ONE")
        producer.enqueue(purchase("second"))
        assert stored.ids() == ["first", "second"]


def test_what_the_app_was_handling_does_not_make_a_lost_answer_a_call_that_never_went_out(proxy: Proxy) -> None:
    with closing(Producer(proxy.url, default_dataset_id="1001", deadline_seconds=2)) as producer:
        producer.enqueue(purchase("first"))
        proxy.hang_up_instead_of_the_next_answer()
        try:
            raise FileNotFoundError  # noqa: TRY301 - as an app that finds no cached file, say
        except FileNotFoundError:
            with pytest.raises(InDoubt):
                producer.enqueue(purchase("second"))


def test_a_server_that_forgot_the_script_is_told_it_again(producer: Producer, stored: Stored) -> None:
    producer.enqueue(purchase("first"))
    stored.redis.script_flush()
    producer.enqueue(purchase("second"))

    assert stored.ids() == ["first", "second"]


def test_half_an_answer_is_asked_for_again_elsewhere(proxy: Proxy) -> None:
    with closing(patient(proxy.url)) as producer, closing(Stored(proxy.url)) as stored:
        producer.enqueue(purchase("first"))
        proxy.answer_next_with(b"*2\r\n:1\r")
        producer.enqueue(purchase("second"))
        producer.enqueue(purchase("third"))

        assert stored.ids() == ["first", "second", "third"]


def test_an_answer_that_is_no_redis_ends_the_connection(proxy: Proxy) -> None:
    with closing(patient(proxy.url)) as producer, closing(Stored(proxy.url)) as stored:
        producer.enqueue(purchase("first"))
        before = {client["id"] for client in stored.redis.client_list()}
        proxy.answer_next_with(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(InDoubt):  # the call went out, and may be done
            producer.enqueue(purchase("second"))
        producer.enqueue(purchase("third"))

        assert {client["id"] for client in stored.redis.client_list()} != before
        assert stored.ids()[-1] == "third"


def test_a_call_that_is_interrupted_leaves_nobody_its_answer(proxy: Proxy) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted

    with closing(patient(proxy.url)) as producer, closing(Stored(proxy.url)) as stored:
        producer.enqueue(purchase("first"))
        proxy.delay_seconds = 0.3
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Interrupted):
                producer.enqueue(purchase("interrupted"))
        finally:
            signal.signal(signal.SIGALRM, before)
        proxy.delay_seconds = 0
        stored.redis.config_set("maxmemory", 1)
        with pytest.raises(Overloaded):  # the interrupted call's answer says: stored
            producer.enqueue(purchase("refused"))

        assert "refused" not in stored.ids()


def test_after_a_restart_the_next_event_is_taken_however_many_connections_lie_idle(own_store: EmbeddedServer) -> None:
    with closing(Producer(own_store.url, default_dataset_id="1001", deadline_seconds=1)) as producer:
        store = producer._store
        idle = [store._take() for _ in range(90)]  # more than could be tried one by one within the deadline
        for connection in idle:
            connection.connect()
        store._idle += idle
        own_store.stop()
        own_store.start()
        producer.enqueue(purchase("after"))

        assert len(store._idle) == len(idle)


def test_fifty_threads_never_share_a_connection(producer: Producer, stored: Stored) -> None:
    before = open_connections(stored)
    ids = [f"order-{number}" for number in range(1500)]
    with ThreadPoolExecutor(50) as threads:
        receipts = list(threads.map(lambda event_id: producer.enqueue(purchase(event_id)), ids))

    assert [receipt.event_id for receipt in receipts] == ids
    assert sorted(stored.ids()) == sorted(ids)
    assert open_connections(stored) - before <= 50


def test_a_handshake_of_many_answers_ends_with_the_deadline_too(proxy: Proxy) -> None:
    url = proxy.url.replace("redis://", "redis://default:a-password@")
    with closing(Producer(url, default_dataset_id="1001", deadline_seconds=0.25)) as producer:
        proxy.delay_seconds = 0.09  # less than any one wait may take
        before = time.monotonic()
        with pytest.raises(Overloaded):
            producer.enqueue(purchase())
        took_seconds = time.monotonic() - before

    assert took_seconds < 0.25 + 0.1  # for a busy machine
