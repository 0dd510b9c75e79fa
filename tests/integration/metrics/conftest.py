"""A relay that has had a bad day: refused, failing and good requests, poison, a dataset without a token."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.events import bad_events, purchase
from tests.fakes.relay import Relay, wait_until
from tests.fakes.simulator import Simulator
from worker.store import Store

TOKENS = {"1001": "planted-token-of-1001", "1002": "planted-token-of-1002", "1003": ""}
PLANTED = ("ada.canary@example.com", "Canaryname", "4479460099", "planted-token")
"""What no metric may tell; with it the digests of the simulator's events."""


@dataclass(frozen=True, slots=True)
class Day:
    """What is left of it: a relay with a live worker, and a client of its store."""

    relay: Relay
    store: Store
    events: list[dict[str, Any]]
    """Those that Meta took."""

    def metrics(self) -> str:
        """Return what ``metrics --once`` prints."""
        return self.relay.command("metrics", "--once").stdout


def personal(event_id: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an event with a person's values in it."""
    user = {"em": PLANTED[0], "fn": PLANTED[1], "ph": PLANTED[2], "country": "gb", "external_id": f"canary-{event_id}"}
    return purchase(event_id) | {"user_data": user} | changes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    folder = tmp_path_factory.mktemp("day")
    with Simulator(TOKENS | {"1003": "none"}) as meta, Relay(folder, meta.url, TOKENS) as relay:
        store = Store(relay.server.url)
        producer = relay.producer()
        old = int(time.time()) - 2 * 24 * 3600
        meta.faults(
            [
                {"kind": "status_500", "dataset": "1001", "times": 2},
                {"kind": "poison", "dataset": "1001", "code": 100, "subcode": 2804003},
            ]
        )
        good = [personal(f"good-{number}") for number in range(300)]
        producer.enqueue_many([*good, personal("poison-1"), personal("poison-2")], dataset_id="1001")
        producer.enqueue_many([*bad_events().values(), personal("old", event_time=old)], dataset_id="1002")
        producer.enqueue(personal("waits"), dataset_id="1003")
        relay.start_worker()
        wait_until(
            lambda: sum(store.admin.counts(name).stored for name in ("1001", "1002")) == 0, "all have left by a door"
        )
        wait_until(lambda: store.admin.counts("1003").pause is not None, "the dataset without a token is paused")
        wait_until(lambda: bool(store.workers.seen()), "the worker has told of itself")
        try:
            yield Day(relay, store, meta.events(raw=True))
        finally:
            producer.close()
            store.close()
