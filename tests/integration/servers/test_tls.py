"""A Redis that speaks TLS alone, with a certificate of the test's own authority."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from kombu import Connection

from capi_relay import Overloaded, Producer
from tests.fakes import events
from tests.fakes.redis_server import RedisServer
from tests.fakes.server import free_port
from tests.integration.graph.servers import Certificates
from worker.broker_url import broker_url_of
from worker.errors import StoreUnavailable
from worker.store import Store

DATASET = "9001"


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Certificates]]:
    folder = tmp_path_factory.mktemp("tls")
    certificates = Certificates(folder)
    certificates.server_context("IP:127.0.0.1")
    port = free_port()
    files = [
        f"tls-cert-file {folder}/server.pem",
        f"tls-key-file {folder}/server.key",
        f"tls-ca-cert-file {folder}/ca.pem",
    ]
    with RedisServer(
        folder / "redis", "port 0", f"tls-port {port}", "tls-auth-clients no", "requirepass pw", *files, port=port
    ):
        yield f"rediss://:pw@127.0.0.1:{port}/0", certificates


def test_an_event_is_stored_and_leased_over_tls(encrypted: tuple[str, Certificates]) -> None:
    url, certificates = encrypted
    trusted = f"{url}?ssl_ca_certs={certificates.ca_file}"
    with closing(Producer(trusted, linger_seconds=0, deadline_seconds=5)) as producer, closing(Store(trusted)) as store:
        producer.enqueue(events.lead("one"), dataset_id=DATASET)
        lease = store.lanes.claim(store.lanes.look(), max_events=10, max_bytes=1_000_000)

    assert lease is not None
    assert len(lease.entries) == 1


def test_a_server_whose_authority_is_unknown_is_not_talked_to(encrypted: tuple[str, Certificates]) -> None:
    url, _ = encrypted
    with closing(Producer(url)) as producer, pytest.raises(Overloaded):
        producer.enqueue(events.lead("one"), dataset_id=DATASET)
    with closing(Store(url)) as store, pytest.raises(StoreUnavailable, match=r"(?i)certificate"):
        store.admin.ping()


def test_the_broker_is_reached_by_the_same_url(encrypted: tuple[str, Certificates]) -> None:
    url, certificates = encrypted
    with Connection(broker_url_of(f"{url}?ssl_ca_certs={certificates.ca_file}")) as connection:
        connection.ensure_connection(max_retries=1, timeout=5)
        channel: Any = connection.default_channel  # its type says nothing of the virtual transports

        assert channel.client.ping()
