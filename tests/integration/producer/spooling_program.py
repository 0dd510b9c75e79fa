"""A web server of the prefork kind whose event store is away: enqueues, forks, and enqueues in parent and children."""

import os
import signal
import sys

from capi_relay import Producer
from tests.fakes.events import purchase

CHILDREN = 3
EVENTS = 5


def main(url: str, directory: str) -> None:
    """Spool, and die by SIGKILL: parent and children."""
    producer = Producer(url, default_dataset_id="1001", spool_dir=directory)
    assert producer.enqueue(purchase("preloaded")).status == "spooled"
    children = []
    for child in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            for number in range(EVENTS):
                assert producer.enqueue(purchase(f"child-{child}-{number}")).status == "spooled"
            os.kill(os.getpid(), signal.SIGKILL)
        children.append(pid)
    for number in range(EVENTS):
        assert producer.enqueue(purchase(f"parent-{number}")).status == "spooled"
    for pid in children:
        os.waitpid(pid, 0)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
