"""What goes wrong in a soak: workers, event store and endpoint are killed, stopped and started again, by a seed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.fakes.relay import Relay
from tests.fakes.simulator import Simulator

LEASE_SECONDS = 4
_TOLD = {"dataset", "token_fingerprint", "event_id", "event_time", "sha256", "at"}
POISON = {"kind": "poison", "code": 100, "subcode": 2804003}
# The poison stands first: an event that Meta refuses must not slip through another fault.
WEATHER = (
    POISON,
    {"kind": "status_500", "probability": 0.03},
    {"kind": "reset_before", "probability": 0.02},
    {"kind": "reset_after", "probability": 0.02},
    {"kind": "truncated_json", "probability": 0.01},
    {"kind": "torn", "probability": 0.01},
    {"kind": "slow", "probability": 0.05, "seconds": 0.7},
    {"kind": "hang", "probability": 0.005, "seconds": 5},
)


class Endpoint:
    """A simulator that can be killed and started again on its port; each run of it has a ledger of its own."""

    def __init__(self, folder: Path, tokens: Mapping[str, str], seed: int) -> None:
        self._folder = folder
        self._tokens = tokens
        self._seed = seed
        self._port = _quiet_port(seed)
        self._files: list[Path] = []
        self.weather: tuple[Mapping[str, object], ...] = WEATHER
        self.simulator = self._start()

    def _start(self) -> Simulator:
        self._files.append(self._folder / f"ledger-{len(self._files)}")
        simulator = Simulator(self._tokens, seed=self._seed, ledger_file=self._files[-1], port=self._port)
        simulator.faults(self.weather)
        return simulator

    def taken(self) -> list[dict[str, Any]]:
        """Return every occurrence that any run of it recorded; a line cut off by a kill was never answered for."""
        return [
            {name: told for name, told in json.loads(line).items() if name in _TOLD}
            for file in self._files
            for line in _whole_lines(file)
        ]

    def restart(self, away_seconds: float) -> None:
        """Kill it, and start it again after a while."""
        self.simulator.kill()
        time.sleep(away_seconds)
        self._seed += 1
        self.simulator = self._start()

    def clear_up(self) -> None:
        """Let the weather pass; poison stays poison."""
        self.weather = (POISON,)
        self.simulator.faults(self.weather)


def _whole_lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as lines:
        yield from (line for line in lines if line.endswith(b"\n"))


def _quiet_port(seed: int) -> int:
    """Return a free port that the system gives nobody by itself: clients that find it closed must not end up on it."""
    dice = Random(seed)
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", dice.randrange(20_000, 32_000)))
            return int(probe.getsockname()[1])


class Chaos:
    """Does one thing after another to an installation; ``done`` counts them."""

    def __init__(self, relay: Relay, endpoint: Endpoint, seed: int) -> None:
        self._relay = relay
        self._endpoint = endpoint
        self._dice = Random(seed)
        self._stopped: list[tuple[float, subprocess.Popen[bytes]]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.done: Counter[str] = Counter()

    def start_worker(self) -> None:
        """Start one more worker."""
        self.workers.append(self._relay.start_worker(concurrency=8, ready=False))

    def run(self, seconds: float) -> None:
        """Do harm for so long."""
        harms: dict[str, tuple[int, Callable[[], None]]] = {
            "worker killed": (8, self._kill_worker),
            "worker stopped": (4, self._stop_worker),
            "worker terminated": (2, self._terminate_worker),
            "store killed": (3, self._kill_store),
            "store frozen": (1, self._freeze_store),
            "endpoint killed": (2, self._kill_endpoint),
        }
        names = list(harms)
        weights = [weight for weight, _ in harms.values()]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self._dice.uniform(0.3, 1.7))
            self._wake(time.monotonic())
            (name,) = self._dice.choices(names, weights)
            harms[name][1]()
            self.done[name] += 1

    def calm(self) -> None:
        """Undo what can be undone: nobody is stopped, the weather is fine, and a worker that nothing befell runs."""
        self._wake(float("inf"))
        self._endpoint.clear_up()
        self.start_worker()

    def _wake(self, now: float) -> None:
        for entry in [each for each in self._stopped if each[0] <= now]:
            self._stopped.remove(entry)
            if entry[1].poll() is None:
                os.killpg(entry[1].pid, signal.SIGCONT)

    def _take_worker(self) -> subprocess.Popen[bytes]:
        """Take a running worker out, and start another in its place."""
        self.workers = [worker for worker in self.workers if worker.poll() is None] or self.workers[-1:]
        worker = self.workers.pop(self._dice.randrange(len(self.workers)))
        self.start_worker()
        return worker

    def _kill_worker(self) -> None:
        worker = self._take_worker()
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def _stop_worker(self) -> None:
        worker = self._take_worker()
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGSTOP)
            wakes = time.monotonic() + LEASE_SECONDS * self._dice.uniform(0.3, 2)
            self._stopped.append((wakes, worker))

    def _terminate_worker(self) -> None:
        worker = self._take_worker()
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGTERM)

    def _kill_store(self) -> None:
        self._relay.server.kill()
        time.sleep(self._dice.choice((0, 0, 0.5, 2)))
        self._relay.server.start()

    def _freeze_store(self) -> None:
        pid = self._relay.server.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.5, 3))
        os.kill(pid, signal.SIGCONT)

    def _kill_endpoint(self) -> None:
        self._endpoint.restart(self._dice.choice((0, 0.5, 2)))
