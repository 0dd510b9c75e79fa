"""A tiny web app for gunicorn: it enqueues when it is loaded, and once for each request, with the one producer."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from capi_relay import Producer
from tests.fakes.events import purchase

producer = Producer(os.environ["CAPI_REDIS_URL"], default_dataset_id="1001", deadline_seconds=20)
producer.enqueue(purchase("preloaded"))


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Enqueue the event that the path names, and say which process did."""
    receipt = producer.enqueue(purchase(environ["PATH_INFO"].strip("/")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{receipt.status} {os.getpid()}".encode()]
