"""An endpoint that takes events as fast as it can: its own process, nothing parsed, an answer after a set time.

``python -m benchmarks.sink --latency 1`` prints its port, and another one to ask it at: GET tells what came, DELETE
forgets it too.
"""

import argparse
import asyncio
import json
import re
import select
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.measure import cpu_seconds

_NEEDLE = b"event_name"  # once in each event, as JSON and as a form's text
_SENT_AT = re.compile(rb'"event_id":"at-(\d+)"')
_ANSWER = b'{"events_received":1000000,"messages":[],"fbtrace_id":"A1b2C3"}'
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class _Ledger:
    """What came: (seconds, events) of each answer, and the ages of events whose id says when they were enqueued."""

    def __init__(self, *, keep_ages: bool) -> None:
        self.keep_ages = keep_ages
        self.clear()

    def clear(self) -> None:
        self.events = self.received_bytes = 0
        self.answers: list[tuple[float, int]] = []
        self.ages: list[float] = []

    def to_bytes(self) -> bytes:
        return json.dumps(
            {"events": self.events, "bytes": self.received_bytes, "answers": self.answers, "ages": self.ages}
        ).encode()


class _Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, ledger: _Ledger, latency_seconds: float) -> None:
        self._ledger = ledger
        self._latency = latency_seconds
        self._head = b""
        self._left = 0
        self._tail = b""
        self._found = 0
        self._kept: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._body(data)
            return
        self._head += data
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        self._head = b""
        if head.startswith(b"POST"):
            self._left = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])  # type: ignore[index] # always there
            if body:
                self._body(body)
        else:
            told = self._ledger.to_bytes()
            if head.startswith(b"DELETE"):
                self._ledger.clear()
            self._transport.write(_OK % (len(told), told))

    def _body(self, data: bytes) -> None:
        self._found += (self._tail + data[: len(_NEEDLE) - 1]).count(_NEEDLE) + data.count(_NEEDLE)
        self._tail = (self._tail + data[1 - len(_NEEDLE) :])[1 - len(_NEEDLE) :]
        if self._ledger.keep_ages:
            self._kept.append(data)
        self._left -= len(data)
        self._ledger.received_bytes += len(data)
        if self._left == 0:
            self._tail = b""
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        now = time.time()
        self._ledger.events += self._found
        self._ledger.answers.append((now, self._found))
        if self._kept:
            self._ledger.ages += [now - int(at) / 1e6 for at in _SENT_AT.findall(b"".join(self._kept))]
        self._found, self._kept = 0, []
        self._transport.write(_OK % (len(_ANSWER), _ANSWER))


async def _serve(latency_seconds: float, *, keep_ages: bool, certificate: str | None) -> None:
    ledger = _Ledger(keep_ages=keep_ages)
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Peer(ledger, latency_seconds), "127.0.0.1", 0, ssl=tls)
    plain = await loop.create_server(lambda: _Peer(ledger, 0), "127.0.0.1", 0)  # the one who measures asks here
    print(*(each.sockets[0].getsockname()[1] for each in (server, plain)), flush=True)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


class Sink:
    """The endpoint as a subprocess: ``with Sink(latency_seconds=1) as sink: ... sink.url``."""

    def __init__(self, *, latency_seconds: float = 0, keep_ages: bool = False, certificate: Path | None = None) -> None:
        words = [sys.executable, "-m", "benchmarks.sink", "--latency", str(latency_seconds)]
        words += ["--ages"] * keep_ages + (["--certificate", str(certificate)] if certificate else [])
        self.process = subprocess.Popen(  # noqa: S603 - this file
            words, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
        )
        out = self.process.stdout
        assert out is not None
        line = out.readline() if select.select([out], [], [], 20)[0] else ""
        if not line:
            self.process.kill()
            self.process.wait()
            raise RuntimeError("the endpoint did not start")
        port, ask_port = line.split()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self._ask_url = f"http://127.0.0.1:{ask_port}"

    def told(self, *, forget: bool = False) -> dict[str, Any]:
        """Return events, bytes, answers and ages since it last forgot."""
        request = urllib.request.Request(self._ask_url, method="DELETE" if forget else "GET")  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - ours
            found: dict[str, Any] = json.load(answer)
            return found

    @property
    def cpu_seconds(self) -> float:
        """CPU time it has used."""
        return cpu_seconds(self.process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--ages", action="store_true")
    parser.add_argument("--certificate")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.latency, keep_ages=arguments.ages, certificate=arguments.certificate))
