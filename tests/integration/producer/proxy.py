"""A TCP proxy before the event store: it can lose or replace the answer to an append, and answer late."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes both ways, a thread for each direction of a connection."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lose = threading.Event()
        self._instead = b""
        self._hang_up = False
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"
        self.delay_seconds = 0.0
        self.lost = 0

    def lose_next_answer(self) -> None:
        """Let the next append reach the store, and its answer nobody."""
        self._lose.set()

    def answer_next_with(self, data: bytes) -> None:
        """Let the next append reach the store, and this be its answer."""
        self._instead = data
        self._lose.set()

    def hang_up_instead_of_the_next_answer(self) -> None:
        """Let the next append reach the store, close the connection properly, and take no other."""
        self._hang_up = True
        self._lose.set()

    def serve(self) -> None:
        """Take connections until the listening socket is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [client, server]
            for source, goal in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, goal, source is server), daemon=True).start()

    def _pass_on(self, source: socket.socket, goal: socket.socket, is_answer: bool) -> None:  # noqa: FBT001 - a thread's argument
        with suppress(OSError):  # the connection was closed, here or there
            while data := source.recv(65536):
                if is_answer and self._lose.is_set() and data.startswith(b"*2"):  # append.lua answers with a pair
                    self._lose.clear()
                    self.lost += 1
                    if self._hang_up:
                        self._listening.shutdown(socket.SHUT_RDWR)
                        self._listening.close()
                        goal.shutdown(socket.SHUT_RDWR)
                        return
                    goal.sendall(self._instead)
                    continue
                if is_answer:
                    time.sleep(self.delay_seconds)
                goal.sendall(data)

    def close(self) -> None:
        """Close every connection."""
        with suppress(OSError):  # it has hung up before
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._sockets:
            each.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy to a port of this machine."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
