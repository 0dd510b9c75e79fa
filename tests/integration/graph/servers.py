"""Servers on loopback that misbehave in the ways a real network and a real Graph API do."""

import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"events_received":1}'

Behaviour = Callable[["Server", socket.socket], bool | None]
"""What to do with a connection after a whole request came in; True: wait for the next request on it."""


class Server(ThreadingTCPServer):
    """Reads whole requests, remembers them, and then does what the test says."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None, *, reads: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave = behave
        self.tls = tls
        self.reads = reads
        self.stopping = threading.Event()
        self.seen: list[bytes] = []
        self.connections = 0
        self.closed = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that the client goes away is what many tests are about."""


class _Handler(BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        connection = self.request
        if self.server.tls:
            connection = self.server.tls.wrap_socket(connection, server_side=True)
        try:
            with connection:
                while not self.server.reads or self._read(connection):
                    if not self.server.behave(self.server, connection):
                        return
        finally:
            self.server.closed += 1

    def _read(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
        self.server.seen.append(head + b"\r\n\r\n" + body)
        return True


Serve = Callable[..., Server]


def answers(data: bytes = OK) -> Behaviour:
    """Answer each request of a connection with the same bytes."""

    def behave(_: Server, connection: socket.socket) -> bool:
        connection.sendall(data)
        return True

    return behave


def answers_and_closes(data: bytes) -> Behaviour:
    """Send the bytes and close the connection."""

    def behave(_: Server, connection: socket.socket) -> None:
        connection.sendall(data)

    return behave


def resets(data: bytes = b"") -> Behaviour:
    """Send the bytes and reset the connection."""

    def behave(_: Server, connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def drips(head: bytes, drop: bytes) -> Behaviour:
    """Send the head, then one drop every 20 ms for ever."""

    def behave(server: Server, connection: socket.socket) -> None:
        connection.sendall(head)
        while not server.stopping.wait(0.02):
            connection.sendall(drop)

    return behave


def floods(head: bytes, piece: bytes) -> Behaviour:
    """Send the head, then pieces as fast as they are taken."""

    def behave(server: Server, connection: socket.socket) -> None:
        connection.sendall(head)
        while not server.stopping.is_set():
            connection.sendall(piece)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Do with each request what is next."""
    turns = iter(behaviours)

    def behave(server: Server, connection: socket.socket) -> bool | None:
        return next(turns)(server, connection)

    return behave


def sips(server: Server, connection: socket.socket) -> None:
    """Read on and on, a little every 20 ms."""
    while not server.stopping.wait(0.02):
        connection.recv(16384)


def never_answers(server: Server, _: socket.socket) -> None:
    """Hold the connection in silence."""
    server.stopping.wait()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Assert that the block took no longer."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


class Certificates:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = str(folder / "ca.pem")
        self._openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem")

    def server_context(self, host: str, days: int = 2) -> ssl.SSLContext:
        """Return a server's context with a certificate for a host, signed by this authority."""
        (self.folder / "extensions").write_text(f"subjectAltName={host}\n")
        self._openssl("req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr")
        self._openssl(
            f"x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile extensions "
            "-out server.pem"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context

    def _openssl(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)
