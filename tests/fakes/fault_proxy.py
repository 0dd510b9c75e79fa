"""A proxy on loopback that spoils answers: between us and the event store, or between us and the endpoint.

It passes bytes to a port or a unix socket. ``spoil`` says what becomes of the next answers to requests that hold a
given text: the request has reached the other side by then, so that its effect is there and only the answer is not.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

How = Literal["drop", "cut", "delay", "half", "half_close", "corrupt", "refuse"]
"""drop: the answer is swallowed, the connection stays; cut: it is closed instead; delay: it comes later; half: half of
it comes, then the end; half_close: the other side says no more, but still listens; corrupt: every byte of it is wrong;
refuse: the connection ends before the request is passed on."""


@dataclass(slots=True)
class _Spoil:
    how: How
    asked: bytes
    times: int
    seconds: float


class FaultProxy:
    """Passes bytes both ways, two threads a connection."""

    def __init__(self, target: int | Path) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._spoils: list[_Spoil] = []
        self._sockets: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        self.spoilt = 0
        """How many answers were spoilt."""

    def spoil(self, how: How, *, asked: bytes = b"", times: int = 1, seconds: float = 0) -> None:
        """Spoil the next answers to requests that hold this text."""
        with self._lock:
            self._spoils.append(_Spoil(how, asked, times, seconds))

    def calm(self) -> None:
        """Spoil nothing from now on."""
        with self._lock:
            self._spoils.clear()

    def cut_all(self) -> None:
        """Close every connection there is; new ones are taken."""
        with self._lock:
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _meets(self, request: bytes, *, refused: bool) -> _Spoil | None:
        """Return what this request meets, and use up one of its times."""
        with self._lock:
            for each in self._spoils:
                if each.times and each.asked in request and (each.how == "refuse") == refused:
                    each.times -= 1
                    self.spoilt += 1
                    return each
        return None

    def serve(self) -> None:
        """Take connections until the listening socket is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
                server = self._connected()
            except OSError:
                if self._listening.fileno() < 0:
                    return
                client.close()  # the other side is away, and so is this one
                continue
            with self._lock:
                self._sockets += [client, server]
            _Conversation(self, client, server).start()

    def _connected(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        return server

    def close(self) -> None:
        """Take no more connections, and close all."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut_all()
        for each in self._sockets:
            each.close()


class _Conversation:
    """One connection: the last request decides what becomes of the answer."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._met: _Spoil | None = None

    def start(self) -> None:
        for passing in (self._pass_requests, self._pass_answers):
            threading.Thread(target=self._until_closed, args=(passing,), daemon=True).start()

    def _until_closed(self, passing: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            passing()
        self._end()

    def _pass_requests(self) -> None:
        while data := self._client.recv(65536):
            if self._proxy._meets(data, refused=True):
                return
            # A request of several pieces meets its fault with the piece that holds the text.
            self._met = self._proxy._meets(data, refused=False) or self._met
            self._server.sendall(data)

    def _pass_answers(self) -> None:
        while data := self._server.recv(65536):
            met, self._met = self._met, None
            match met.how if met else "":
                case "drop":
                    continue
                case "cut":
                    return
                case "half":
                    self._client.sendall(data[: len(data) // 2])
                    return
                case "half_close":
                    self._client.shutdown(socket.SHUT_WR)
                    continue
                case "corrupt":
                    data = bytes(byte ^ 0xFF for byte in data)
                case "delay" if met:
                    time.sleep(met.seconds)
            self._client.sendall(data)

    def _end(self) -> None:
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def fault_proxy(target: int | Path) -> Iterator[FaultProxy]:
    """Run a proxy to a port of this machine or to a unix socket."""
    proxy = FaultProxy(target)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
