"""One producer, used by many threads and by forked processes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from capi_relay import Producer
from tests.fakes.events import purchase
from tests.fakes.server import EmbeddedServer
from tests.integration.producer.forking_program import CHILDREN, EVENTS
from tests.integration.producer.stored import Stored

ROOT = Path(__file__).resolve().parents[3]


def test_eight_threads_share_a_producer(producer: Producer, stored: Stored) -> None:
    ids = [f"order-{number}" for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda event_id: producer.enqueue(purchase(event_id)), ids))

    assert [receipt.event_id for receipt in receipts] == ids
    assert sorted(stored.ids()) == sorted(ids)


def test_a_producer_may_be_used_before_and_after_a_fork(event_store: EmbeddedServer, stored: Stored) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.producer.forking_program", event_store.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    children = [f"child-{child}-{number}" for child in range(CHILDREN) for number in range(EVENTS)]

    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(stored.ids()) == sorted(
        ["preloaded", "last", *children, *(f"parent-{number}" for number in range(EVENTS))]
    )
