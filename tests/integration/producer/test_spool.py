"""With a spool a producer outlives the event store: what it answered is delivered once the store is back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from capi_relay import Overloaded, Producer, keys, spooled_store
from capi_relay.errors import LaneFull
from capi_relay.spool_status import spool_status
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer, free_port
from tests.integration.producer.proxy import Proxy, proxy_to
from tests.integration.producer.spooling_program import CHILDREN, EVENTS
from tests.integration.producer.stored import Stored

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_SECONDS = 0.25


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Run a server that may be killed, and has everything again when it is started again."""
    with EmbeddedServer(tmp_path / "own") as running:
        sync_always(running)
        yield running


def sync_always(server: EmbeddedServer) -> None:
    """Let a kill take nothing that was answered: with "everysec" a server on a slow disk puts off its writes."""
    with stored_in(server) as stored:
        stored.redis.config_set("appendfsync", "always")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    port = free_port()
    with EmbeddedServer(tmp_path / "own", port=port, appendonly=False), proxy_to(port) as running:
        yield running


@contextmanager
def producing(url: str, folder: Path, *, lane_cap: int = 100_000, spool_bytes: int = 10_000_000) -> Iterator[Producer]:
    with closing(
        Producer(url, default_dataset_id="1001", spool_dir=folder, lane_cap=lane_cap, spool_bytes=spool_bytes)
    ) as producer:
        yield producer


@contextmanager
def stored_in(server: EmbeddedServer) -> Iterator[Stored]:
    with closing(Stored(server.url)) as stored:
        yield stored


def wait_until(is_so: Callable[[], bool], timeout_seconds: float = 20) -> None:
    stop = time.monotonic() + timeout_seconds
    while not is_so():
        assert time.monotonic() < stop, "it did not come to pass"
        time.sleep(0.02)


def is_empty(folder: Path) -> bool:
    return list(folder.iterdir()) == []


def statuses(producer: Producer, names: list[str]) -> set[str]:
    return {producer.enqueue(purchase(name)).status for name in names}


def test_an_outage_loses_nothing_and_doubles_nothing(server: EmbeddedServer, folder: Path) -> None:
    with producing(server.url, folder) as producer:
        assert statuses(producer, ["before"]) == {"accepted"}
        server.kill()
        away = [f"away-{n}" for n in range(30)]
        assert statuses(producer, away) == {"spooled"}
        many = producer.enqueue_many(purchase(f"many-{n}") for n in range(1500))
        assert {getattr(each, "status", each) for each in many} == {"spooled"}
        server.start()
        wait_until(lambda: is_empty(folder))
        assert statuses(producer, ["after"]) == {"accepted"}

    with stored_in(server) as stored:
        ids = stored.ids()
    assert sorted(ids) == sorted(["before", *away, *(f"many-{n}" for n in range(1500)), "after"])
    assert [each for each in ids if each.startswith("away")] == away


def test_a_store_that_is_away_costs_its_deadline_once_a_second(server: EmbeddedServer, folder: Path) -> None:
    assert server.pid
    with producing(server.url, folder) as producer:
        producer.enqueue(purchase())
        os.kill(server.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert statuses(producer, [f"away-{n}" for n in range(50)]) == {"spooled"}
            took_seconds = time.monotonic() - began
        finally:
            os.kill(server.pid, signal.SIGCONT)

    assert took_seconds < 50 * DEADLINE_SECONDS / 4


def test_what_a_frozen_store_had_read_is_not_stored_twice(server: EmbeddedServer, folder: Path) -> None:
    assert server.pid
    with producing(server.url, folder) as producer:
        producer.enqueue(purchase("before"))
        os.kill(server.pid, signal.SIGSTOP)
        producer.enqueue(purchase("in doubt"))  # it lies in the server's socket
        os.kill(server.pid, signal.SIGCONT)
        wait_until(lambda: is_empty(folder))

    with stored_in(server) as stored:
        assert stored.ids() == ["before", "in doubt"]
        assert stored.redis.hget(keys.counters(0, "1001"), "possible_duplicates") is None


def test_what_was_in_doubt_longer_than_a_call_is_remembered_counts_as_a_possible_duplicate(
    proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capi_relay.producer._DRAIN_SECONDS", DEADLINE_SECONDS)
    monkeypatch.setattr("capi_relay.spool_drain._REMEMBERED_MS", -1)
    with producing(proxy.url, folder) as producer, closing(Stored(proxy.url)) as stored:
        producer.enqueue(purchase("before"))
        proxy.delay_seconds = 0.4
        assert statuses(producer, ["in doubt"]) == {"spooled"}
        stored.redis.delete(*stored.redis.keys(keys.call(0, "*")))  # as if ten minutes had passed
        proxy.delay_seconds = 0
        wait_until(lambda: is_empty(folder))

        assert stored.ids() == ["before", "in doubt", "in doubt"]
        assert stored.redis.hget(keys.counters(0, "1001"), "possible_duplicates") == b"1"


def test_a_store_at_its_limit_spools(server: EmbeddedServer, folder: Path) -> None:
    with producing(server.url, folder) as producer, stored_in(server) as stored:
        producer.enqueue(purchase("before"))
        stored.redis.config_set("maxmemory", 1)
        assert statuses(producer, ["a", "b"]) == {"spooled"}
        stored.redis.config_set("maxmemory", 0)
        wait_until(lambda: is_empty(folder))

        assert stored.ids() == ["before", "a", "b"]


def test_a_full_lane_is_its_datasets_own_matter_and_does_not_spool(server: EmbeddedServer, folder: Path) -> None:
    with producing(server.url, folder, lane_cap=1) as producer:
        producer.enqueue(purchase("a"))
        with pytest.raises(LaneFull):
            producer.enqueue(purchase("b"))
        assert producer.enqueue(purchase("c"), dataset_id="2002").status == "accepted"

    assert is_empty(folder)


def test_a_full_spool_refuses(tmp_path: Path, folder: Path) -> None:
    with producing(f"unix://{tmp_path}/none", folder, spool_bytes=2500) as producer:
        assert producer.enqueue(purchase("a")).status == "spooled"
        with pytest.raises(Overloaded, match="the spool is full"):
            producer.enqueue(purchase("b"))


def test_with_a_full_spool_each_call_tries_the_store(server: EmbeddedServer, folder: Path) -> None:
    with producing(server.url, folder, spool_bytes=10) as producer:
        server.kill()
        with pytest.raises(Overloaded, match="the spool is full"):
            producer.enqueue(purchase())
        server.start()

        assert producer.enqueue(purchase()).status == "accepted"


def test_the_next_process_delivers_what_a_killed_one_left_behind(server: EmbeddedServer, folder: Path) -> None:
    server.kill()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.integration.producer.spooling_program", server.url, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    children = [f"child-{child}-{number}" for child in range(CHILDREN) for number in range(EVENTS)]
    left = ["preloaded", *children, *(f"parent-{number}" for number in range(EVENTS))]
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert spool_status(folder).files > CHILDREN  # one or two of each process
    server.start()
    with producing(server.url, folder) as producer:
        producer.enqueue(purchase("next"))
        wait_until(lambda: is_empty(folder))

    with stored_in(server) as stored:
        assert sorted(stored.ids()) == sorted([*left, "next"])


def test_two_processes_at_once_store_each_event_once(server: EmbeddedServer, folder: Path) -> None:
    with producing(server.url, folder) as first, producing(server.url, folder) as second:
        server.kill()
        for n in range(20):
            first.enqueue(purchase(f"first-{n}"))
            second.enqueue(purchase(f"second-{n}"))
        server.start()
        assert first.drain(10)
        assert second.drain(10)

    with stored_in(server) as stored:
        assert sorted(stored.ids()) == sorted(f"{who}-{n}" for who in ("first", "second") for n in range(20))
    assert is_empty(folder)


def test_fifty_threads_through_a_flapping_store(
    server: EmbeddedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooled_store, "_AWAY_SECONDS", 0.05)
    names = [f"order-{n}" for n in range(3000)]
    with producing(server.url, folder) as producer, stored_in(server) as stored:
        stored.redis.config_set("appendfsync", "always")  # so that a kill takes nothing that was answered
        with ThreadPoolExecutor(50) as threads:
            found = [threads.submit(producer.enqueue, purchase(name)) for name in names]
            for _ in range(4):
                time.sleep(0.2)
                server.kill()
                time.sleep(0.2)
                server.start()
                sync_always(server)
            done = {each.result().status for each in found}
        wait_until(lambda: is_empty(folder))

        assert "spooled" in done
        assert sorted(stored.ids()) == sorted(names)


def test_a_spool_that_cannot_be_written_refuses_and_says_why(tmp_path: Path, folder: Path) -> None:
    with producing(f"unix://{tmp_path}/none", folder) as producer:
        folder.rmdir()
        with pytest.raises(Overloaded, match="the spool cannot be written: No such file or directory"):
            producer.enqueue(purchase())


def test_a_process_that_ends_does_not_wait_for_the_store(tmp_path: Path, folder: Path) -> None:
    program = (
        "import sys; from capi_relay import Producer; from tests.fakes.events import purchase\n"
        "producer = Producer(sys.argv[1], default_dataset_id='1001', spool_dir=sys.argv[2])\n"
        "print(producer.enqueue(purchase()).status)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, f"unix://{tmp_path}/none", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert (done.stdout, time.monotonic() - began < 10) == ("spooled\n", True)
    assert "Traceback" not in done.stderr
    assert spool_status(folder).files == 1


def test_the_environment_names_the_spool(tmp_path: Path, folder: Path) -> None:
    env = {"CAPI_REDIS_URL": f"unix://{tmp_path}/none", "CAPI_DATASET_ID": "1001", "CAPI_SPOOL_DIR": str(folder)}
    with closing(Producer.from_env(env)) as producer:
        assert producer.enqueue(purchase()).status == "spooled"
    with closing(Producer.from_env(env | {"CAPI_SPOOL_BYTES": "10"})) as producer, pytest.raises(Overloaded):
        producer.enqueue(purchase())
