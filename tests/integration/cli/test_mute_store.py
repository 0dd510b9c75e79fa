"""What commands do about an event store that takes the connection and never says a word."""

import socket
import time
from collections.abc import Iterator

import pytest

from tests.integration.cli.commands import DATASET, Site

_SOON_SECONDS = 15


@pytest.fixture
def mute_url() -> Iterator[str]:
    """Return the URL of a server that hangs: the system takes its connections, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@pytest.mark.parametrize(
    "words", [("status",), ("pause", DATASET), ("dead", "list"), ("metrics", "--once"), ("check", "--offline")]
)
def test_a_command_gives_up_soon_on_a_store_that_hangs(site: Site, mute_url: str, words: tuple[str, ...]) -> None:
    start = time.monotonic()
    done = site.run(*words, code=1, env={"CAPI_REDIS_URL": mute_url})

    assert "the event store could not run PING: TimeoutError" in " ".join(done.output.split())
    assert time.monotonic() - start < _SOON_SECONDS
