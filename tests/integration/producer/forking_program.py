"""A web server of the prefork kind in miniature: enqueues once, forks, and enqueues in parent and children."""

import os
import sys

from capi_relay import Producer
from tests.fakes.events import purchase

CHILDREN = 4
EVENTS = 25


def main(url: str) -> int:
    """Return how many children failed or shared a connection; one more where the parent lost one to a child."""
    producer = Producer(url, default_dataset_id="1001", deadline_seconds=20)
    producer.enqueue(purchase("preloaded"))
    kept = [connection._sock for connection in producer._store._idle]
    children = []
    for child in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            for number in range(EVENTS):
                producer.enqueue(purchase(f"child-{child}-{number}"))
            os._exit(any(connection._sock in kept for connection in producer._store._idle))
        children.append(pid)
    for number in range(EVENTS):
        producer.enqueue(purchase(f"parent-{number}"))
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in children)
    producer.enqueue(purchase("last"))  # after the children have closed what they inherited
    return failed + (kept != [connection._sock for connection in producer._store._idle])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
