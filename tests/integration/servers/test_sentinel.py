"""Sentinels name the master: after a failover all follow it, and nothing that was replicated is lost."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from capi_relay import Overloaded, Producer
from tests.fakes import events
from tests.fakes.redis_server import RedisServer
from tests.fakes.relay import Relay, wait_until
from tests.fakes.server import free_port
from tests.fakes.simulator import Simulator
from tests.integration.graph.servers import Certificates
from worker.store import Store

DATASET = "9001"
TOKENS = {DATASET: "token-a"}
NAME = "shop"
SENTINELS = 3
TLS_FILES = {"cert": "server.pem", "key": "server.key", "ca-cert": "ca.pem"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A master, its replica, and the Sentinels that look after both."""

    master: RedisServer
    replica: RedisServer
    sentinels: list[RedisServer]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"sentinel://:pw@{places}/0?master={NAME}"

    def replicated(self) -> None:
        """Wait until the replica has all that the master was given."""
        with redis.Redis.from_url(self.master.url, password="pw") as client:
            assert client.wait(1, 10_000) == 1

    def role_of_replica(self) -> str:
        with redis.Redis.from_url(self.replica.url, password="pw") as client:
            return str(client.info("replication")["role"])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    login = ("requirepass pw", "masterauth pw", "repl-diskless-sync-delay 0", "appendonly yes")
    with ExitStack() as stack:
        master = stack.enter_context(RedisServer(tmp_path / "one", *login))
        replica = stack.enter_context(RedisServer(tmp_path / "two", *login, f"replicaof 127.0.0.1 {master.port}"))
        sentinels = [
            stack.enter_context(
                RedisServer(
                    tmp_path / f"sentinel-{number}",
                    f"sentinel monitor {NAME} 127.0.0.1 {master.port} 2",
                    f"sentinel auth-pass {NAME} pw",
                    f"sentinel down-after-milliseconds {NAME} 1000",
                    f"sentinel failover-timeout {NAME} 4000",
                    sentinel=True,
                )
            )
            for number in range(SENTINELS)
        ]
        made = Pair(master, replica, sentinels)
        wait_until(lambda: _sees_all(sentinels), "the Sentinels know the replica and each other", every=0.2)
        yield made


def _sees_all(sentinels: list[RedisServer]) -> bool:
    for each in sentinels:
        with redis.Redis.from_url(each.url) as client:
            state = client.sentinel_master(NAME)
        if state["num-slaves"] != 1 or state["num-other-sentinels"] != SENTINELS - 1:
            return False
    return True


def _accept(producer: Producer, event_id: str, *, seconds: float = 60) -> int:
    """Enqueue as a patient caller does; return how often it was told to come again."""
    end, refusals = time.monotonic() + seconds, 0
    while True:
        try:
            producer.enqueue(events.lead(event_id), dataset_id=DATASET)
        except Overloaded:
            assert time.monotonic() < end, "the new master is not found"
            refusals += 1
            time.sleep(0.1)
        else:
            return refusals


def test_producer_worker_and_broker_follow_the_new_master(pair: Pair, tmp_path: Path) -> None:
    before = [f"before-{n}" for n in range(50)]
    after = [f"after-{n}" for n in range(50)]
    (tmp_path / "relay").mkdir()
    with Simulator(TOKENS) as meta, Relay(tmp_path / "relay", meta.url, TOKENS) as relay:
        relay.env["CAPI_REDIS_URL"] = pair.url
        relay.start_worker()
        with closing(Producer(pair.url, linger_seconds=0, deadline_seconds=1)) as producer:
            for event_id in before:
                _accept(producer, event_id)
            pair.replicated()
            pair.master.kill()
            refusals = [_accept(producer, event_id) for event_id in after]
        with closing(Store(pair.url)) as store:
            wait_until(lambda: store.admin.counts(DATASET).stored == 0, "every event has left", every=0.2)
            assert store.admin.counts(DATASET).unaccounted == 0
        taken = {line["event_id"] for line in meta.events()}
        relay.command("reconcile", code=0)
        checked = relay.command("check", "--offline", code=0)

    assert refusals[0] > 0
    assert sum(refusals[1:]) == 0
    assert taken == {*before, *after}
    assert pair.role_of_replica() == "master"
    assert "pw@" not in checked.stdout
    assert "broker: sentinel://127.0.0.1:" in checked.stdout


def test_a_master_that_is_demoted_and_lives_on_is_left_at_once(pair: Pair) -> None:
    with closing(Producer(pair.url, deadline_seconds=1)) as producer, closing(Store(pair.url)) as store:
        _accept(producer, "one")
        assert store.admin.counts(DATASET).stored == 1
        pair.replicated()
        with redis.Redis.from_url(pair.sentinels[0].url) as client:
            client.execute_command("SENTINEL", "FAILOVER", NAME)
        wait_until(lambda: pair.role_of_replica() == "master", "the other one is master", every=0.1)
        _accept(producer, "two")

        wait_until(lambda: store.admin.counts(DATASET).stored == 2, "the store reads the new master", every=0.2)


def test_one_sentinel_that_is_down_hinders_nobody(pair: Pair) -> None:
    pair.sentinels[0].kill()
    with closing(Producer(pair.url, deadline_seconds=1)) as producer:
        assert _accept(producer, "one") == 0


def test_no_sentinel_at_all_is_told_in_time_and_without_the_password(pair: Pair) -> None:
    for each in pair.sentinels:
        each.kill()
    with closing(Producer(pair.url)) as producer, pytest.raises(Overloaded, match="no connection") as told:
        producer.enqueue(events.lead("one"), dataset_id=DATASET)

    assert "pw" not in str(told.value)


def test_sentinels_and_servers_are_reached_over_tls(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    certificates.server_context("IP:127.0.0.1")
    files = [f"tls-{name}-file {tmp_path}/{file}" for name, file in TLS_FILES.items()]
    encrypted = ("port 0", "tls-auth-clients no", "tls-replication yes", *files)
    port, sentinel_port = free_port(), free_port()
    with (
        RedisServer(tmp_path / "one", f"tls-port {port}", *encrypted, port=port),
        RedisServer(
            tmp_path / "sentinel",
            f"tls-port {sentinel_port}",
            f"sentinel monitor {NAME} 127.0.0.1 {port} 1",
            *encrypted,
            port=sentinel_port,
            sentinel=True,
        ),
        closing(
            Producer(
                f"sentinel://127.0.0.1:{sentinel_port}/0?master={NAME}&tls=true&ssl_ca_certs={certificates.ca_file}",
                deadline_seconds=2,
            )
        ) as producer,
    ):
        _accept(producer, "one", seconds=20)
