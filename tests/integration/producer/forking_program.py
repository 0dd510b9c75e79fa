"""A web server of the prefork kind in miniature: enqueues once, forks, and enqueues in parent and children."""

import os
import sys

from capi_relay import Producer
from tests.fakes.events import purchase

CHILDREN = 4
EVENTS = 25


def main(url: str) -> int:
    """Return how many children failed."""
    producer = Producer(url, default_dataset_id="1001", deadline_seconds=20)
    producer.enqueue(purchase("preloaded"))
    children = []
    for child in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            for number in range(EVENTS):
                producer.enqueue(purchase(f"child-{child}-{number}"))
            os._exit(0)
        children.append(pid)
    for number in range(EVENTS):
        producer.enqueue(purchase(f"parent-{number}"))
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
