"""What the producer's tests share: a producer on the session's store, and a look at what it stored."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from capi_relay import Producer
from tests.fakes.server import EmbeddedServer
from tests.integration.producer.stored import Stored


@pytest.fixture
def producer(event_store: EmbeddedServer) -> Iterator[Producer]:
    # The deadline has tests of its own: here a busy machine must not refuse anything.
    with closing(Producer(event_store.url, default_dataset_id="1001", deadline_seconds=20)) as found:
        yield found


@pytest.fixture
def stored(event_store: EmbeddedServer) -> Iterator[Stored]:
    with closing(Stored(event_store.url)) as found:
        yield found
