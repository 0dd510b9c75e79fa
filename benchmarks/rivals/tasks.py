"""Celery tasks that send with Meta's SDK: one message an event, and 1000 events gathered by hand in one message."""

import functools
import os
from typing import Any

from celery import Celery

from benchmarks.rivals import sdk

app = Celery("rival", broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(task_ignore_result=True, task_default_queue="rival", broker_connection_retry_on_startup=True)
DATASET = "1000"


@functools.cache
def _connected() -> None:
    sdk.connect(os.environ["BENCH_ENDPOINT"])


@app.task
def send_one(event: dict[str, Any]) -> None:
    """Send one event."""
    _connected()
    sdk.send(DATASET, [event])


@app.task
def send_many(events: list[dict[str, Any]]) -> None:
    """Send what a caller has gathered."""
    _connected()
    sdk.send(DATASET, events)
