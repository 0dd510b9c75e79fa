"""A store, worker processes and an endpoint, on which the relay and its rivals play the same piece."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.events import fill
from benchmarks.measure import cpu_seconds, group_cpu_seconds, wait_until
from benchmarks.sink import Sink
from capi_relay import keys
from tests.fakes.relay import ROOT, Relay

DATASETS = tuple(str(1000 + number) for number in range(8))
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Drained:
    """What it took to deliver a number of events that waited."""

    events: int
    events_per_second: float
    """Between the first answer of the endpoint and the last."""
    worker_cpu_us: float
    """CPU time of the worker processes for each event; the others' likewise."""
    server_cpu_us: float
    sink_cpu_us: float


class Stage:
    """One store and one endpoint; workers come and go."""

    def __init__(self, relay: Relay, sink: Sink, datasets: Sequence[str]) -> None:
        self.relay = relay
        self.sink = sink
        self.datasets = datasets
        self.redis: redis.Redis = redis.Redis.from_url(relay.server.url)

    def clear(self) -> None:
        """Forget everything that is stored."""
        self.redis.flushall()
        self.redis.config_set("auto-aof-rewrite-percentage", 0)  # no rewrite in the middle of a round

    def start(self, words: Sequence[str], env: Mapping[str, str], python: str = sys.executable) -> int:
        """Start a worker's module in a process group of its own and wait until it is ready; return its process id."""
        log_path = self.relay.folder / f"worker-{len(self.relay.workers)}.log"
        with log_path.open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - ours, or a rival's, with arguments from these files
                [python, "-m", *words],
                cwd=ROOT,
                env={**self.relay.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.relay.workers.append(worker)
        wait_until(
            lambda: b" ready." in log_path.read_bytes() or worker.poll() is not None,
            f"the worker is ready ({log_path})",
            seconds=START_SECONDS,
        )
        assert worker.poll() is None, log_path.read_text()[-3000:]
        return worker.pid

    def start_relay(self, env: Mapping[str, str] | None = None, *, concurrency: int = 16) -> int:
        """Start a worker of the relay; with BENCH_VARIANT it is one that differs in what is measured."""
        env = env or {}
        module = "benchmarks.worker_variant" if "BENCH_VARIANT" in env else "tasks"
        name = f"w{len(self.relay.workers)}-{os.getpid()}@bench"
        return self.start([module, "--hostname", name], {**env, "CAPI_CONCURRENCY": str(concurrency)})

    def stop_workers(self) -> None:
        """End all workers at once; nothing is left for them to do."""
        for worker in self.relay.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()

    def drain(self, groups: Sequence[int], enqueue: Callable[[], object], events: int, *, seconds: float) -> Drained:
        """Let workers deliver what is enqueued while they stand still."""
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            enqueue()
            self.sink.told(forget=True)
            before = self._clocks(groups)
        finally:
            for group in groups:
                os.killpg(group, signal.SIGCONT)
        wait_until(lambda: self.sink.told()["events"] >= events, f"{events} events delivered", seconds=seconds)
        wait_until(lambda: self.waiting() == 0, "all is settled", seconds=30)
        used = [(now - then) * 1e6 / events for now, then in zip(self._clocks(groups), before, strict=True)]
        return Drained(events, rate_of(self.sink.told()["answers"]), *used)

    def fill(self, events: int, datasets: Sequence[str] | None = None) -> None:
        """Store events for the relay's workers, in all datasets or in some."""
        fill(self.relay.server.url, datasets or self.datasets, events)

    def waiting(self) -> int:
        """Count the events in the relay's lanes."""
        pipe = self.redis.pipeline(transaction=False)
        for dataset_id in self.datasets:
            pipe.xlen(keys.stream(0, keys.lane_of(dataset_id, "0")))
        return sum(pipe.execute())

    def _clocks(self, groups: Sequence[int]) -> tuple[float, float, float]:
        server = self.relay.server.pid
        assert server is not None
        return sum(map(group_cpu_seconds, groups)), cpu_seconds(server), self.sink.cpu_seconds


def rate_of(answers: Sequence[tuple[float, int]], *, first: int = 1) -> float:
    """Return events per second between the ``first`` answers and the last one."""
    began, ended = answers[first - 1][0], answers[-1][0]
    later = sum(events for _, events in answers[first:])
    return later / max(ended - began, 1e-3)


@contextmanager
def stage(sink: Sink, datasets: Sequence[str] = DATASETS, **settings: str) -> Iterator[Stage]:
    """Open a stage in a directory of its own, on the disk where the store's file belongs."""
    with tempfile.TemporaryDirectory(prefix="capi-bench-") as folder:
        tokens = {dataset_id: f"token-{dataset_id}" for dataset_id in datasets}
        with Relay(Path(folder), sink.url, tokens) as relay:
            relay.env |= {"CAPI_LINGER_SECONDS": "0", **settings}
            opened = Stage(relay, sink, datasets)
            opened.clear()
            try:
                yield opened
            finally:
                opened.stop_workers()
                opened.redis.close()
