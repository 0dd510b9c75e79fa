"""celery-batches: Celery messages of one event, gathered by the worker. It runs in a virtual environment of its own.

It sends JSON with one requests session, which costs far less than Meta's SDK would.
"""

import os
from typing import Any

import requests
from celery import Celery
from celery_batches import Batches  # type: ignore[import-not-found] # installed in that environment only

app = Celery("rival", broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="rival-batches",
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=2000,
)
_SESSION = requests.Session()
_SESSION.trust_env = False


@app.task(base=Batches, flush_every=1000, flush_interval=1)
def send_gathered(calls: list[Any]) -> None:
    """Send the events of the gathered calls in one request."""
    body = {"data": [call.args[0] for call in calls]}
    answer = _SESSION.post(
        os.environ["BENCH_ENDPOINT"] + "/v23.0/1000/events",
        json=body,
        headers={"Authorization": "Bearer a-token"},
        timeout=30,
    )
    answer.raise_for_status()
