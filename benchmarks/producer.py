"""The producer from raw personal data, on a store that syncs its file each second, beside Celery's ``.delay()``."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import Figures, Options
from tests.fakes.server import EmbeddedServer
from worker.broker_url import broker_url_of

_LABELS = {
    "enqueue_p50": ("one enqueue, p50", "us"),
    "enqueue_p99": ("one enqueue, p99", "us"),
    "enqueue_cpu": ("one enqueue, CPU", "us"),
    "delay_p50": ("Celery .delay() of the same event, p50", "us"),
    "delay_p99": ("Celery .delay() of the same event, p99", "us"),
    "delay_cpu": ("Celery .delay() of the same event, CPU", "us"),
    "bound_p50": ("bound (nine SHA-256, one XADD on a bare socket), p50", "us"),
    "bound_p99": ("bound, p99", "us"),
    "bound_cpu": ("bound, CPU", "us"),
    "script_p50": ("append.lua of a ready event on a bare socket, p50", "us"),
    "script_p99": ("append.lua of a ready event on a bare socket, p99", "us"),
    "script_cpu": ("append.lua of a ready event on a bare socket, CPU", "us"),
    "many": ("enqueue_many of 1000, CPU", "us/event"),
    "delays": (".delay() in a loop, CPU", "us/event"),
    "sdk": ("Meta's SDK builds and hashes the event, nothing queued, CPU", "us/event"),
}


def run_fast(options: Options) -> Figures:
    """Measure with what the extra [fast] installs."""
    figures = _run("fast", options)
    if find_spec("hiredis") is None:
        figures.notes.append("hiredis is not installed here: these are the plain install's figures.")
    return figures


def run_plain(options: Options) -> Figures:
    """Measure without the extras."""
    return _run("plain", options)


def _run(flavour: str, options: Options) -> Figures:
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="capi-bench-") as folder, EmbeddedServer(Path(folder)) as server:
        env = {
            **os.environ,
            "BENCH_STORE_URL": server.url,
            "BENCH_BROKER_URL": broker_url_of(server.url),
            "BENCH_SOCKET": str(server.socket_path),
            "BENCH_ENDPOINT": "http://127.0.0.1:9",
        }
        words = [flavour, str(options.rounds), str(options.size(300, 50))]
        done = subprocess.run(  # noqa: S603 - a file of ours
            [sys.executable, "-m", "benchmarks.producer_calls", *words],
            cwd=Path(__file__).parents[1],
            env=env,
            stdout=subprocess.PIPE,
            check=True,
            timeout=600,
        )
    for name, values in json.loads(done.stdout).items():
        for value in values:
            figures.add(name, *_LABELS[name], value)
    figures.ratio("one_of_celery", "enqueue p50 over .delay()", "enqueue_p50", "delay_p50")
    figures.ratio("one_of_bound", "enqueue p50 over the bound", "enqueue_p50", "bound_p50")
    figures.ratio("one_of_bound_p99", "enqueue p99 over the bound", "enqueue_p99", "bound_p99")
    figures.ratio("many_x_celery", ".delay() over enqueue_many", "delays", "many")
    figures.ratio("many_x_sdk", "Meta's SDK over enqueue_many", "sdk", "many")
    figures.notes.append("Single calls are interleaved one by one. Names and places repeat, as they do in a shop.")
    return figures
