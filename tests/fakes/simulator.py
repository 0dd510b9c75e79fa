"""The simulator as a subprocess, for tests: ``with Simulator({"123": "a-token"}) as meta: ... meta.url``."""

import json
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20
STOP_SECONDS = 10


class Simulator:
    """One running simulator on a free port; ``datasets`` gives each id its token or tokens, none takes any of both.

    A token is good when some dataset has it. A bad one is answered with 190 (401), a good one on a dataset that does
    not have it with 100/33 (400). So a test of an unknown dataset uses the token of a known one.
    """

    def __init__(
        self,
        datasets: Mapping[str, str | Sequence[str]] | None = None,
        *,
        seed: int = 0,
        ledger_file: Path | None = None,
        port: int = 0,
    ) -> None:
        arguments = ["--port", str(port), "--seed", str(seed)]
        for dataset, tokens in (datasets or {}).items():
            for token in [tokens] if isinstance(tokens, str) else tokens:
                arguments += ["--dataset", f"{dataset}={token}"]
        if ledger_file is not None:
            arguments += ["--ledger", str(ledger_file)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._session = requests.Session()
        self._session.trust_env = False
        self.url = self._announced_url()

    def _announced_url(self) -> str:
        output = self.process.stdout
        assert output is not None
        ready, _, _ = select.select([output], [], [], START_SECONDS)
        line = output.readline() if ready else ""
        if not line.startswith("simulator listening on "):
            self.kill()
            raise RuntimeError(f"the simulator did not start; it said {line!r}")
        return line.split()[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _ask(self, method: str, path: str, content: object = None) -> requests.Response:
        answer = self._session.request(method, self.url + path, json=content, timeout=60)
        answer.raise_for_status()
        return answer

    def ledger(self) -> dict[str, Any]:
        """Return requests, accepted_requests, largest_request_events, refused, faults, datasets and duplicates.

        ``refused`` counts by ``"code/subcode"``, or by ``"190"`` where there is no subcode; ``faults`` by kind.
        """
        counts: dict[str, Any] = self._ask("GET", "/_ledger").json()
        return counts

    def events(self, dataset: str | None = None, *, raw: bool = False) -> list[dict[str, Any]]:
        """Return every accepted occurrence in order, of one dataset or of all; ``raw`` adds the event as "event"."""
        query = f"?raw={int(raw)}" + (f"&dataset={dataset}" if dataset else "")
        return [json.loads(line) for line in self._ask("GET", f"/_ledger/events{query}").content.splitlines()]

    def faults(self, faults: Sequence[Mapping[str, Any]] = ()) -> None:
        """Switch these faults on and all others off."""
        self._ask("POST", "/_faults", list(faults))

    def clear(self) -> None:
        """Forget what was taken; the faults stay."""
        self._ask("DELETE", "/_ledger")

    def stop(self) -> int:
        """Stop the simulator and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self._end()

    def kill(self) -> int:
        """End the simulator as a crash would."""
        self.process.kill()
        return self._end()

    def _end(self) -> int:
        self._session.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait()
