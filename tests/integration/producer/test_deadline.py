"""The promise of enqueue: an answer within 250 ms, whatever has become of the store, and nothing stored twice."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from capi_relay import Overloaded, Producer
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer, free_port
from tests.integration.producer.proxy import Proxy, proxy_to
from tests.integration.producer.stored import Stored

DEADLINE_SECONDS = 0.25
SLACK_SECONDS = 0.1  # for a busy machine


@pytest.fixture(params=["unix", "tcp"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedServer]:
    port = free_port() if request.param == "tcp" else None
    with EmbeddedServer(tmp_path / "own", port=port, appendonly=False) as running:
        yield running


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    port = free_port()
    with EmbeddedServer(tmp_path / "own", port=port, appendonly=False), proxy_to(port) as running:
        yield running


def refusal_seconds(producer: Producer) -> float:
    before = time.monotonic()
    with pytest.raises(Overloaded):
        producer.enqueue(purchase())
    return time.monotonic() - before


def producer_of(url: str) -> Producer:
    return Producer(url, default_dataset_id="1001", deadline_seconds=DEADLINE_SECONDS)


@pytest.mark.parametrize("warm", [True, False], ids=["after a first event", "at the first event"])
def test_a_stopped_server_refuses_in_time(server: EmbeddedServer, warm: bool) -> None:  # noqa: FBT001 - by name
    with closing(producer_of(server.url)) as producer:
        if warm:
            producer.enqueue(purchase())
        server.stop()

        assert refusal_seconds(producer) < DEADLINE_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("warm", [True, False], ids=["after a first event", "at the first event"])
def test_a_frozen_server_refuses_in_time(server: EmbeddedServer, warm: bool) -> None:  # noqa: FBT001 - by name
    assert server.pid
    with closing(producer_of(server.url)) as producer:
        if warm:
            producer.enqueue(purchase())
        os.kill(server.pid, signal.SIGSTOP)
        try:
            took_seconds = refusal_seconds(producer)
        finally:
            os.kill(server.pid, signal.SIGCONT)

    assert took_seconds < DEADLINE_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("warm", [True, False], ids=["after a first event", "at the first event"])
def test_a_full_server_refuses_in_time_and_stores_nothing(
    event_store: EmbeddedServer,
    stored: Stored,
    warm: bool,  # noqa: FBT001 - by name
) -> None:
    with closing(producer_of(event_store.url)) as producer:
        if warm:
            producer.enqueue(purchase())
        stored.redis.config_set("maxmemory", 1)
        took_seconds = refusal_seconds(producer)

    assert took_seconds < DEADLINE_SECONDS + SLACK_SECONDS
    assert len(stored.ids()) == warm


@pytest.mark.parametrize("delay_seconds", [0.03, 0.06, 0.09, 0.2])
def test_a_slow_server_never_takes_longer_than_the_deadline(proxy: Proxy, delay_seconds: float) -> None:
    with closing(producer_of(proxy.url)) as producer:
        proxy.delay_seconds = delay_seconds
        before = time.monotonic()
        outcomes = producer.enqueue_many([purchase()])
        took_seconds = time.monotonic() - before

    assert len(outcomes) == 1
    assert took_seconds < DEADLINE_SECONDS + SLACK_SECONDS


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """Listen on a port that has no room for another connection: to connect waits."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_a_host_with_many_addresses_that_hang_refuses_in_time(
    hanging_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = socket.getaddrinfo("127.0.0.1", hanging_port, 0, socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: found * 8)

    with closing(producer_of(f"redis://many.example:{hanging_port}/0")) as producer:
        assert refusal_seconds(producer) < DEADLINE_SECONDS + SLACK_SECONDS


def test_the_url_has_no_say_in_the_deadline(hanging_port: int) -> None:
    with closing(producer_of(f"redis://127.0.0.1:{hanging_port}/0?socket_connect_timeout=3")) as producer:
        assert refusal_seconds(producer) < DEADLINE_SECONDS + SLACK_SECONDS


def test_a_host_name_that_cannot_be_one_is_a_store_that_is_away() -> None:
    with closing(producer_of("redis://shop..example:6379/0")) as producer, pytest.raises(Overloaded):
        producer.enqueue(purchase())


def test_a_server_that_comes_back_takes_events_again(own_store: EmbeddedServer) -> None:
    with closing(Producer(own_store.url, default_dataset_id="1001", deadline_seconds=2)) as producer:
        producer.enqueue(purchase("before"))
        own_store.stop()
        with pytest.raises(Overloaded):
            producer.enqueue(purchase("meanwhile"))
        own_store.start()
        producer.enqueue(purchase("after"))
        with closing(Stored(own_store.url)) as stored:
            assert stored.ids() == ["after"]


def test_a_lost_answer_stores_the_events_once(proxy: Proxy) -> None:
    with closing(producer_of(proxy.url)) as producer, closing(Stored(proxy.url)) as stored:
        producer.enqueue(purchase("first"))
        proxy.lose_next_answer()
        receipt = producer.enqueue(purchase("second"))
        ids = stored.ids()

    assert (proxy.lost, receipt.event_id) == (1, "second")
    assert ids == ["first", "second"]


def test_a_refusal_holds_neither_the_event_nor_the_password(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/none.sock?password=secret-word"
    with (
        closing(producer_of(url)) as producer,
        pytest.raises(
            Overloaded,
            match=r"^no connection to the event store: .* CAPI_REDIS_URL names it \(unset, .* current directory\)$",
        ),
    ):
        producer.enqueue(purchase(user_data={"em": "ada@example.com"}))
