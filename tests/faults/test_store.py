"""Rows 9-27 of the fault matrix: what the event store can do to us, on a server of the test's own."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from capi_relay import Overloaded, Producer
from tests.fakes.events import lead
from tests.fakes.relay import wait_until
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from tests.faults.conftest import port_of
from tests.integration.relay.site import DATASET, Site
from tests.integration.store.hand import Hand
from worker.errors import StoreUnavailable

TORN_BYTES = 37


def _files(server: EmbeddedServer) -> list[Path]:
    """Return the parts of the append-only file, the last written one last."""
    found = [path for path in server.directory.rglob("*.aof") if path.stat().st_size]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def _taken(meta: Simulator) -> list[str]:
    return [line["event_id"] for line in meta.events()]


def test_a_power_loss_that_tears_the_files_tail_costs_the_last_write_only(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url) as hand:
        for number in range(50):
            hand.append(f"event {number}")
        own_store.kill()
        file = _files(own_store)[-1]
        os.truncate(file, file.stat().st_size - TORN_BYTES)
        own_store.start()
        counts = hand.counts()

        # A script's writes are one transaction in the file, so a call is there whole or not at all.
        assert (counts.stored, counts.unaccounted) == (49, 0)


def test_a_file_that_is_corrupt_in_the_middle_is_refused_with_the_servers_words(own_store: EmbeddedServer) -> None:
    with Hand(own_store.url) as hand:
        for number in range(50):
            hand.append(f"event {number}")
    own_store.kill()
    file = _files(own_store)[-1]
    content = file.read_bytes()
    place = (
        content.index(b"\r\n*", len(content) // 2) + 2
    )  # where a command begins: what an event holds has no checksum
    file.write_bytes(content[:place] + b"\0" * 9 + content[place + 9 :])

    with pytest.raises(StoreUnavailable, match=r"(?i)bad file format"):
        own_store.start()
    with closing(Producer(own_store.url)) as producer, pytest.raises(Overloaded, match="no connection"):
        producer.enqueue(lead("a"), dataset_id=DATASET)


def test_a_store_that_was_flushed_takes_and_delivers_again_and_its_books_begin_anew(
    site: Site, meta: Simulator
) -> None:
    site.enqueue("before")
    lease = site.claim()
    assert lease
    site.hand.redis.flushall()
    site.run(lease)  # its lane is gone, and so is its lease: it must not send
    site.enqueue("after")
    site.run_all()

    assert _taken(meta) == ["after"]
    assert (site.counter("enqueued"), site.doors()) == (1, {"delivered": 1})


@contextmanager
def _unwritable(server: EmbeddedServer) -> Iterator[None]:
    """Let a server's snapshots fail, so that it answers MISCONF to every write, as with a full disk."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.config_set("stop-writes-on-bgsave-error", "yes")
        client.config_set("save", "3600 1")
        (server.directory / "dump.rdb" / "in the way").mkdir(parents=True)
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the snapshot has failed")
        yield
        shutil.rmtree(server.directory / "dump.rdb")
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok", "the snapshot has succeeded")


@contextmanager
def _read_only(server: EmbeddedServer) -> Iterator[None]:
    """Make a server a replica, as a failover does with the former master."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.config_set("replica-serve-stale-data", "yes")
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        yield
        client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def _user_revoked(server: EmbeddedServer) -> Iterator[None]:
    """Take the writing commands from the user that everybody is."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.execute_command("ACL", "SETUSER", "default", "-@scripting")
        yield
        client.execute_command("ACL", "SETUSER", "default", "+@all")


@contextmanager
def _busy(server: EmbeddedServer) -> Iterator[None]:
    """Keep a server busy with somebody's endless script; the runbook's word for it is SCRIPT KILL."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.config_set("busy-reply-threshold", 20)
        loop = threading.Thread(target=_loop_for_ever, args=(server.url,))
        loop.start()
        wait_until(lambda: _is_busy(client), "the script blocks the server", every=0.01)
        yield
        client.script_kill()
        loop.join()


def _loop_for_ever(url: str) -> None:
    with redis.Redis.from_url(url, protocol=2, socket_timeout=60) as client, pytest.raises(redis.ResponseError):
        client.eval("while true do end", 0)


def _is_busy(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.ResponseError as error:
        return str(error).startswith(("BUSY", "Redis is busy", "Server is busy"))
    return False


@contextmanager
def _crowded(server: EmbeddedServer) -> Iterator[None]:
    """Use up all of a server's connections."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.config_set("maxclients", len(client.client_list()) + 1)
        crowd = [socket.create_connection(("127.0.0.1", port_of(server))) for _ in range(3)]
        client.client_kill_filter(_type="normal", skipme=True)
        crowd += [socket.create_connection(("127.0.0.1", port_of(server))) for _ in range(3)]
        yield
        for each in crowd:
            each.close()
        client.config_set("maxclients", 100)


@pytest.mark.parametrize(
    "trouble", [_unwritable, _read_only, _user_revoked, _busy, _crowded], ids=lambda each: each.__name__.strip("_")
)
def test_a_store_that_refuses_writes_means_no_post_and_no_loss_and_all_goes_on_afterwards(
    trouble: Callable[[EmbeddedServer], Iterator[None]], site: Site, own_store: EmbeddedServer, meta: Simulator
) -> None:
    """A full disk (MISCONF), a demoted master (READONLY), a revoked right (NOPERM), BUSY, and too many clients."""
    site.enqueue("a")
    lease = site.claim()
    assert lease
    with closing(Producer(own_store.url, linger_seconds=0)) as shop:
        with trouble(own_store):  # type: ignore[attr-defined]  # contextmanager made it more than its annotation
            with pytest.raises(StoreUnavailable):
                site.run(lease)
            began = time.monotonic()
            with pytest.raises(Overloaded):
                shop.enqueue(lead("refused"), dataset_id=DATASET)
            took_seconds = time.monotonic() - began
        assert meta.ledger()["requests"] == 0
        assert took_seconds < 1
        shop.enqueue(lead("b"), dataset_id=DATASET)
    site.hand.ripen()
    site.run_all()

    assert sorted(_taken(meta)) == ["a", "b"]


def test_a_failover_that_goes_back_in_time_sends_twice_and_loses_nothing(
    own_store: EmbeddedServer, site: Site, meta: Simulator
) -> None:
    site.enqueue("a", "b")
    old = own_store.directory.with_name("old")
    shutil.copytree(own_store.directory, old, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    site.run_all()
    own_store.kill()
    shutil.rmtree(own_store.directory / "appendonlydir")
    shutil.copytree(old / "appendonlydir", own_store.directory / "appendonlydir")
    own_store.start()
    site.hand.ripen()
    site.run_all()

    assert sorted(_taken(meta)) == ["a", "a", "b", "b"]
    assert site.doors() == {"delivered": 2}
