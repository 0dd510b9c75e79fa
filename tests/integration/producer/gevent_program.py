"""A program that gevent has patched: greenlets share a producer; then one of them meets a store that hangs.

Run it in a process of its own: importing it patches.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402 - gevent patches before anything else is imported
import signal  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402

from capi_relay import Overloaded, Producer  # noqa: E402
from tests.fakes.events import purchase  # noqa: E402


def main(url: str, store_pid: int, greenlets: int, events: int) -> None:
    """Print how often another greenlet had its turn while a call waited for the store."""
    producer = Producer(url, default_dataset_id="1001", deadline_seconds=20)

    def sell(seller: int) -> None:
        for number in range(events):
            producer.enqueue(purchase(f"greenlet-{seller}-{number}"))

    gevent.joinall([gevent.spawn(sell, seller) for seller in range(greenlets)], raise_error=True)
    producer.close()
    print(turns_while_the_store_hangs(url, store_pid))  # noqa: T201 - it is what the test reads


def turns_while_the_store_hangs(url: str, store_pid: int) -> int:
    impatient = Producer(url, default_dataset_id="1001", deadline_seconds=0.5)
    impatient.enqueue(purchase("connected"))
    os.kill(store_pid, signal.SIGSTOP)
    try:
        call = gevent.spawn(is_refused, impatient)
        turns = 0
        while not call.ready():
            gevent.sleep(0.01)
            turns += 1
    finally:
        os.kill(store_pid, signal.SIGCONT)
    assert call.value
    return turns


def is_refused(producer: Producer) -> bool:
    try:
        producer.enqueue(purchase("refused"))
    except Overloaded:
        return True
    return False


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
