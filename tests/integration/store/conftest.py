"""A hand on the session's event store."""

from collections.abc import Iterator

import pytest

from tests.fakes.server import EmbeddedServer
from tests.integration.store.hand import Hand


@pytest.fixture
def hand(event_store: EmbeddedServer) -> Iterator[Hand]:
    with Hand(event_store.url) as found:
        yield found
