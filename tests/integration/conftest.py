"""What the tests on a real server share: one event store for the whole session, empty for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.fakes.server import EmbeddedServer


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("store"), appendonly=False) as server:
        yield server


@pytest.fixture
def event_store(session_server: EmbeddedServer) -> EmbeddedServer:
    """Return the session's server, empty and without a memory limit."""
    with redis.Redis.from_url(session_server.url) as client:
        client.config_set("maxmemory", 0)
        client.flushall()
        client.script_flush()
    return session_server


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Run a server for one test, which may stop, kill or freeze it."""
    with EmbeddedServer(tmp_path / "own", appendonly=False) as server:
        yield server
