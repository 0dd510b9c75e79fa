"""A shop as a process of its own: enqueues events call by call and says on stdout what it was told, for a test to kill.

One JSON line before each call (``{"call": [ids]}``) and one after it (``{"accepted": [ids]}``). With ``CAPI_SPOOL_DIR``
it spools; ``drain`` in place of arguments only drains what others have spooled.
"""

import json
import os
import sys
import time

from capi_relay import Producer, Receipt
from tests.fakes import events

CALLS = 8
CALL_EVENTS = 5
DRAIN_SECONDS = 20


def call(dataset_id: str, number: int, now: int) -> list[events.Event]:
    """Return the events of one call: the same for the same arguments."""
    return [events.lead(f"{dataset_id}-{number}-{place}", now) for place in range(CALL_EVENTS)]


def main() -> None:
    """Sell, or drain."""
    spool = os.environ.get("CAPI_SPOOL_DIR")
    producer = Producer(os.environ["CAPI_REDIS_URL"], linger_seconds=0, deadline_seconds=5, spool_dir=spool)
    if sys.argv[1] == "drain":
        sys.exit(0 if producer.drain(DRAIN_SECONDS) else 1)
    _sell(producer, sys.argv[1], int(sys.argv[2]))
    producer.close()


def _sell(producer: Producer, dataset_id: str, now: int) -> None:
    """Go on until all calls are done; what the store refuses is offered again."""
    for number in range(CALLS):
        left = call(dataset_id, number, now)
        while left:
            _say(call=[event["event_id"] for event in left])
            try:
                outcomes = producer.enqueue_many(left, dataset_id=dataset_id)
            except MemoryError:  # as a web app's own handler would: this call's answer is nobody's
                break
            told = [outcome.event_id for outcome in outcomes if isinstance(outcome, Receipt)]
            _say(accepted=told)
            left = [event for event in left if event["event_id"] not in told]
            time.sleep(0.01)


def _say(**words: list[str]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
