"""The producer's contenders in one process, for ``benchmarks.producer``: prints its figures as JSON.

``python -m benchmarks.producer_calls plain 5 200`` never sees hiredis, as after an install without extras.
"""

import hashlib
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if sys.argv[1:2] == ["plain"]:
    sys.modules["hiredis"] = None  # type: ignore[assignment] # the next import of it fails
    sys.modules["orjson"] = None  # type: ignore[assignment] # likewise

from benchmarks.events import stored_events
from benchmarks.measure import cpu_us, interleaved, percentile
from benchmarks.rivals import sdk
from benchmarks.rivals.tasks import send_one
from capi_relay import Producer
from capi_relay.append import Append, Limits, command
from tests.fakes.events import raw_purchase

DATASET = "1000"
_HASHED_FIELDS = 9
_LIMITS = Limits(full_events=1000, lane_cap=10_000_000)
_MANY = 1000


def main(rounds: int, calls: int) -> dict[str, list[float]]:
    """Measure single calls, one of each in turn, and then many events at once."""
    found: dict[str, list[float]] = {}
    producer = Producer(os.environ["BENCH_STORE_URL"], deadline_seconds=5)
    bound = Bound()
    contenders: dict[str, Callable[[dict[str, Any]], object]] = {
        "enqueue": lambda event: producer.enqueue(event, dataset_id=DATASET),
        "delay": lambda event: send_one.apply_async((event,), ignore_result=True),
        "bound": bound.append,
        "script": bound.run_script,
    }
    _one_by_one(contenders, 20)
    for _ in range(rounds):
        for name, value in _one_by_one(contenders, calls).items():
            found.setdefault(name, []).append(value)
    many = [raw_purchase(n) for n in range(_MANY)]
    few = many[:100]
    bulk = {
        "many": lambda: cpu_us(lambda: producer.enqueue_many(many, dataset_id=DATASET), _MANY),
        "delays": lambda: cpu_us(lambda: [send_one.delay(event) for event in few], len(few)),
        "sdk": lambda: cpu_us(lambda: [sdk.event_of(event).normalize() for event in few], len(few)),
    }
    for name, value in interleaved(rounds, bulk):
        found.setdefault(name, []).append(value)
    return found


def _one_by_one(contenders: dict[str, Callable[[dict[str, Any]], object]], calls: int) -> dict[str, float]:
    """Call each contender in turn, so that none finds warm caches; return p50, p99 and CPU of each in us."""
    walls: dict[str, list[float]] = {name: [] for name in contenders}
    cpus: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(calls):
        event = raw_purchase(number)
        for name, call in contenders.items():
            cpu, wall = time.process_time_ns(), time.perf_counter_ns()
            call(event)
            walls[name].append((time.perf_counter_ns() - wall) / 1000)
            cpus[name].append((time.process_time_ns() - cpu) / 1000)
    measured = {}
    for name in contenders:
        measured[f"{name}_p50"] = percentile(walls[name], 0.5)
        measured[f"{name}_p99"] = percentile(walls[name], 0.99)
        measured[f"{name}_cpu"] = statistics.median(cpus[name])
    return measured


class Bound:
    """What no producer can do without: nine digests, and one command on a bare socket."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(Path(os.environ["BENCH_SOCKET"])))
        (self._data,) = stored_events(1)
        self._command = command("XADD", "bench:bound", "*", "e", self._data)

    def append(self, event: dict[str, Any]) -> None:
        """Hash nine short texts and append an event."""
        for number in range(_HASHED_FIELDS):
            hashlib.sha256(event["user_data"]["em"].encode() + bytes(number)).hexdigest()
        self._socket.sendall(self._command)
        self._socket.recv(100)

    def run_script(self, _event: dict[str, Any]) -> None:
        """Store an event that is ready with the producer's own script: what counts and indexes it costs the server."""
        work = Append(DATASET, os.urandom(16).hex(), 5000, {"0": [(self._data, b"}")]})
        self._socket.sendall(work.command(0, _LIMITS))
        assert self._socket.recv(100).startswith(b"*2\r\n:1")


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[2]), int(sys.argv[3]))))
