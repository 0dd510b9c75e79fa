"""A Sentry that runs here: takes envelopes on loopback and keeps what was in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SentrySink:
    """What arrived: each envelope's text as it was sent, and the items in them."""

    port: int
    texts: list[str] = field(default_factory=list)
    items: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The type of each item and what it says: ``event``, ``transaction``, ``check_in`` ..."""

    @property
    def dsn(self) -> str:
        """Where this Sentry wants its events."""
        return f"http://key@127.0.0.1:{self.port}/1"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The errors."""
        return self.of_type("event")

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the items of one type, in the order in which they came."""
        return [item for each, item in self.items if each == kind]

    def take(self, body: bytes) -> None:
        """Keep an envelope: a header line, then for each item a header line and a payload of one line."""
        self.texts.append(body.decode())
        lines = body.split(b"\n")[1:]
        for header, payload in zip(lines[::2], lines[1::2], strict=False):
            self.items.append((json.loads(header)["type"], json.loads(payload)))


@contextmanager
def sentry_sink() -> Iterator[SentrySink]:
    """Run one on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(sorted(self.headers.keys())).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink = SentrySink(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
