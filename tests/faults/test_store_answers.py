"""Rows 21-25 and 78 of the fault matrix: answers of the event store that are lost, cut, wrong or not to be trusted."""

import os
import signal
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from capi_relay import Overloaded, Producer
from tests.fakes.events import lead
from tests.fakes.fault_proxy import FaultProxy, fault_proxy
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from tests.faults.conftest import MakeSite, port_of
from tests.integration.graph.servers import Certificates
from tests.integration.relay.site import DATASET
from tests.integration.store.hand import Hand
from worker.errors import StoreUnavailable
from worker.store import Store

DATASETS = 5_000


def _answer_loading(listening: socket.socket) -> None:
    """Be a server that reads its file: everybody is told to wait."""
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_tell_loading, args=(client,), daemon=True).start()


def _tell_loading(client: socket.socket) -> None:
    with client:
        while client.recv(65536):
            client.sendall(b"-LOADING Redis is loading the dataset in memory\r\n" * 3)


def test_loading_is_a_store_that_is_away_for_workers_and_producers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_answer_loading, args=(listening,), daemon=True).start()
        url = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        with closing(Store(url)) as store, pytest.raises(StoreUnavailable, match=r"(?i)loading"):
            store.lanes.look()
        with closing(Producer(url)) as producer, pytest.raises(Overloaded):
            producer.enqueue(lead("a"), dataset_id=DATASET)
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(own_store: EmbeddedServer) -> Iterator[FaultProxy]:
    with fault_proxy(port_of(own_store)) as proxy:
        yield proxy


@pytest.mark.parametrize("script", ["lease", "mark", "settle"])
@pytest.mark.parametrize("how", ["cut", "half", "half_close"])
def test_a_lost_answer_to_a_script_that_was_applied_changes_nothing(
    script: str, how: str, proxy: FaultProxy, make_site: MakeSite, meta: Simulator
) -> None:
    """One event is delivered once and counted once, and one dead letter is written once."""
    site = make_site(f"redis://127.0.0.1:{proxy.port}/0")
    connection = site.runtime.store._connection
    site.enqueue("warm")
    site.run_all()
    site.enqueue_events([lead("good"), lead("bad") | {"event_name": ""}])
    proxy.spoil(how, asked=connection._sha[script].encode())  # type: ignore[arg-type]  # the parametrized words
    site.run_all()

    assert proxy.spoilt == 1
    assert sorted(line["event_id"] for line in meta.events()) == ["good", "warm"]
    assert (site.doors(), len(site.letters())) == ({"delivered": 2, "invalid": 1}, 1)
    assert site.counter("possible_duplicates") == 0


def test_a_corrupt_answer_of_the_store_is_a_store_that_is_away_and_nothing_is_posted(
    proxy: FaultProxy, make_site: MakeSite, meta: Simulator
) -> None:
    site = make_site(f"redis://127.0.0.1:{proxy.port}/0")
    site.enqueue("a")
    lease = site.claim()
    assert lease
    proxy.spoil("corrupt", times=1000)
    with pytest.raises(StoreUnavailable):
        site.run(lease)
    proxy.calm()

    assert meta.ledger()["requests"] == 0


def test_a_network_stall_holds_a_producer_no_longer_than_its_deadline(own_store: EmbeddedServer) -> None:
    with closing(Producer(own_store.url)) as producer:
        producer.enqueue(lead("a"), dataset_id=DATASET)
        assert own_store.pid
        os.kill(own_store.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(Overloaded):
                producer.enqueue(lead("b"), dataset_id=DATASET)
            took_seconds = time.monotonic() - began
        finally:
            os.kill(own_store.pid, signal.SIGCONT)

    assert took_seconds < 0.5


class _TlsListener:
    """Answers the TLS handshake of one client after the other, and keeps what they say inside it or beside it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.heard = b""

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client, suppress(OSError), self._context.wrap_socket(client, server_side=True) as inside:
                self.heard += inside.recv(65536)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.mark.parametrize(
    ("host", "trusted"), [("IP:127.0.0.1", False), ("DNS:other.example", True)], ids=["unknown authority", "other host"]
)
def test_a_store_with_a_wrong_certificate_is_refused_and_told_nothing(
    host: str, *, trusted: bool, certificates: Certificates
) -> None:
    listener = _TlsListener(certificates.server_context(host))
    threading.Thread(target=listener.serve, daemon=True).start()
    url = f"rediss://:password@127.0.0.1:{listener.port}/0" + (
        f"?ssl_ca_certs={certificates.ca_file}" if trusted else ""
    )
    with closing(Store(url)) as store, pytest.raises(StoreUnavailable, match=r"(?i)certificate") as told:
        store.lanes.look()
    with closing(Producer(url)) as producer, pytest.raises(Overloaded):
        producer.enqueue(lead("a"), dataset_id=DATASET)
    listener.close()

    assert listener.heard == b""
    assert "password" not in str(told.value)


def test_thousands_of_datasets_make_looking_for_work_no_slower(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url) as hand:
        hand.append("a")
        few = _median_look_seconds(hand)
        for number in range(DATASETS):
            hand.append("a", lane=f"{2000 + number}/0")
        many = _median_look_seconds(hand)
        found = hand.store.lanes.look()

    assert found.eligible_soon == DATASETS + 1
    assert len(found.lanes) == 16
    assert many < few + 0.005


def _median_look_seconds(hand: Hand) -> float:
    took = []
    for _ in range(21):
        began = time.perf_counter()
        hand.store.lanes.look()
        took.append(time.perf_counter() - began)
    return statistics.median(took)
