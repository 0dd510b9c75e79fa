"""A worker's duties, done one at a time as stdin says, and reported as a worker reports them."""

import sys
from collections.abc import Callable

import sentry_sdk

from tasks.deliver import deliver
from tasks.maintenance import sweep, tick
from worker import app as service
from worker.observability import configure_logging

CANARY = sys.argv[1]


def crash() -> None:
    """Run a task that fails with personal data in its exception and in its variables."""

    def broken() -> None:
        address = CANARY
        raise ValueError(f"cannot take {address}")

    service.duties()._runtime.pump.run = broken  # type: ignore[method-assign, assignment]  # the fault is the point
    deliver.apply()


STEPS: dict[str, Callable[[], object]] = {
    "deliver": deliver.apply,
    "tick": tick.apply,
    "sweep": sweep.apply,
    "crash": crash,
}

configure_logging("json")
service._start_reporting()
for line in sys.stdin:
    STEPS[line.strip()]()
    sentry_sdk.flush(10)
    sys.stdout.write("done\n")
    sys.stdout.flush()
