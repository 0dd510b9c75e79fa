"""The servers and certificates of these tests."""

import os
import shutil
import ssl
import threading
from collections.abc import Iterator

import pytest

from tests.integration.graph.servers import Behaviour, Certificates, Serve, Server


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers: serve(behaviour), with tls=a context for https, reads=False to act before a request came in."""
    servers: list[Server] = []

    def start(behave: Behaviour, *, tls: ssl.SSLContext | None = None, reads: bool = True) -> Server:
        server = Server(behave, tls, reads=reads)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    yield start
    for server in servers:
        server.stopping.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None and os.environ.get("CI") != "true":
        pytest.skip("openssl is not installed")
    return Certificates(tmp_path_factory.mktemp("certificates"))
