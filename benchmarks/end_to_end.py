"""Delivery of events that wait, with everything on, beside what a user would pick instead.

Store, endpoint and workers share the machine. Each round starts each contender afresh, warms it up and lets it drain.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from celery import Celery

from benchmarks.events import stored_events
from benchmarks.measure import Figures, Options
from benchmarks.rivals.environment import batches_python
from benchmarks.sink import Sink
from benchmarks.stage import DATASETS, Drained, Stage, stage
from worker.broker_url import broker_url_of

_OUTAGE_EVENTS = 3_600_000


@dataclass(frozen=True, slots=True)
class _Contender:
    label: str
    events: int
    start: Callable[[Stage], list[int]]
    enqueue: Callable[[Stage, int], None]


def run(options: Options) -> Figures:
    """Measure all contenders, round after round."""
    figures = Figures()
    contenders = _contenders(options, figures)
    with Sink() as sink, stage(sink) as plain:
        certificate = _certificate(plain.relay.folder)
        with Sink(certificate=certificate) as tls_sink:
            for _ in range(options.rounds):
                for name, contender in contenders.items():
                    _add(figures, name, contender, _one(plain, contender))
                _add(figures, "tls", _relay(options, 1, "TLS"), _with_tls(plain, tls_sink, certificate, options))
    _compare(figures)
    return figures


def _contenders(options: Options, figures: Figures) -> dict[str, _Contender]:
    found = {
        "relay1": _relay(options, 1),
        "relay2": _relay(options, 2),
        "unvalidated1": _relay(options, 1, "without validation", BENCH_VARIANT="unvalidated"),
        "unvalidated2": _relay(options, 2, "without validation", BENCH_VARIANT="unvalidated"),
        "sdk": _Contender(
            "Celery + Meta's SDK, one message an event",
            options.size(1000, 200),
            partial(_start_rival, "tasks"),
            partial(_enqueue_rival, "tasks.send_one", "rival", 1),
        ),
        "hand": _Contender(
            "Celery + Meta's SDK, 1000 events gathered by hand",
            options.size(20_000, 4000),
            partial(_start_rival, "tasks"),
            partial(_enqueue_rival, "tasks.send_many", "rival", 1000),
        ),
    }
    if python := batches_python():
        found["batches"] = _Contender(
            "celery-batches, 1000 or 1 s, plain requests",
            options.size(10_000, 4000),
            partial(_start_rival, "batches", python=python),
            partial(_enqueue_rival, "batches.send_gathered", "rival-batches", 1),
        )
    else:
        figures.notes.append("celery-batches could not be installed here.")
    return found


def _relay(options: Options, processes: int, variant: str = "", **env: str) -> _Contender:
    what = f"capi-relay, {processes} process{'es' * (processes > 1)}" + (f", {variant}" if variant else "")
    return _Contender(
        what,
        options.size(120_000, 16_000),
        lambda on: [on.start_relay(env) for _ in range(processes)],
        lambda on, events: on.fill(events),
    )


def _one(on: Stage, contender: _Contender) -> Drained:
    on.clear()
    try:
        groups = contender.start(on)
        warm = max(1000, contender.events // 10) // 1000 * 1000 if contender.events >= 4000 else contender.events // 5
        on.drain(groups, partial(contender.enqueue, on, warm), warm, seconds=60)
        return on.drain(groups, partial(contender.enqueue, on, contender.events), contender.events, seconds=120)
    finally:
        on.stop_workers()


def _with_tls(on: Stage, tls_sink: Sink, certificate: Path, options: Options) -> Drained:
    env = {
        "BENCH_VARIANT": "tls",
        "BENCH_CERTIFICATE": str(certificate),
        "CAPI_GRAPH_URL": tls_sink.url,
    }
    plain_sink, on.sink = on.sink, tls_sink
    try:
        return _one(on, _relay(options, 1, "TLS", **env))
    finally:
        on.sink = plain_sink


def _certificate(folder: Path) -> Path:
    """Make a certificate for the endpoint that is its own authority."""
    path = folder / "endpoint.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=endpoint -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(  # noqa: S603 - arguments from this file
        ["openssl", *words.split(), "-keyout", path, "-out", folder / "certificate"],  # noqa: S607 - wherever it is
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + (folder / "certificate").read_bytes())
    return path


def _start_rival(module: str, on: Stage, *, python: str | None = None) -> list[int]:
    app = f"benchmarks.rivals.{module}" if python is None else module
    words = ["celery", "-A", app, "worker", "--concurrency", "2", "--loglevel", "INFO"]
    words += ["--without-gossip", "--without-mingle", "--queues", "rival" if python is None else "rival-batches"]
    env = {"BENCH_BROKER_URL": broker_url_of(on.relay.server.url), "BENCH_ENDPOINT": on.sink.url}
    if python is None:
        return [on.start(words, env)]
    return [on.start(words, {**env, "PYTHONPATH": str(Path(__file__).parent / "rivals")}, python)]


def _enqueue_rival(task: str, queue: str, gathered: int, on: Stage, events: int) -> None:
    """Publish with Celery itself; what that costs is the producer's subject."""
    name = f"benchmarks.rivals.{task}" if task.startswith("tasks.") else task
    with Celery(broker=broker_url_of(on.relay.server.url)) as app:
        made = [json.loads(data) for data in stored_events(events)]
        for first in range(0, events, gathered):
            part: Sequence[Mapping[str, object]] = made[first : first + gathered]
            app.send_task(name, args=[part[0] if gathered == 1 else part], queue=queue, ignore_result=True)


def _add(figures: Figures, name: str, contender: _Contender, found: Drained) -> None:
    figures.add(f"{name}_rate", contender.label, "events/s", found.events_per_second)
    figures.add(f"{name}_cpu", f"{contender.label}: worker CPU", "us/event", found.worker_cpu_us)
    all_cpu = found.worker_cpu_us + found.server_cpu_us + found.sink_cpu_us
    figures.add(f"{name}_all_cpu", f"{contender.label}: CPU of worker, store and endpoint", "us/event", all_cpu)


def _compare(figures: Figures) -> None:
    figures.ratio("x_sdk", "capi-relay, 2 processes, over one Celery message an event", "relay2_rate", "sdk_rate")
    figures.ratio("x_hand", "the same over 1000 gathered by hand", "relay2_rate", "hand_rate")
    if "batches_rate" in figures.by_key:
        figures.ratio("x_batches", "the same over celery-batches", "relay2_rate", "batches_rate")
    for name in ("sdk", "hand", "batches"):
        if f"{name}_all_cpu" in figures.by_key:
            label = f"{figures.by_key[f'{name}_rate'].label}: all CPU over that of capi-relay, 2 processes"
            figures.ratio(f"x_{name}_cpu", label, f"{name}_all_cpu", "relay2_all_cpu")
    figures.ratio("of_unvalidated", "share of the same without validation", "relay2_rate", "unvalidated2_rate")
    figures.ratio("cpu_2_over_1", "worker CPU an event, 2 processes over 1", "relay2_cpu", "relay1_cpu")
    figures.ratio("tls", "worker CPU an event, TLS over plain", "tls_cpu", "relay1_cpu")
    for rate in figures.by_key["relay2_rate"].values:
        figures.add(
            "catch_up", f"{_OUTAGE_EVENTS:,} waiting events, computed from the rate", "s", _OUTAGE_EVENTS / rate
        )
    figures.notes.append(
        f"{len(DATASETS)} datasets; store, endpoint and workers on the same cores, endpoint without delay."
    )
