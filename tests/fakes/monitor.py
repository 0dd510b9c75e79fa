"""Everything that clients say to a Redis server, as its MONITOR command tells it."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Monitor:
    """Listens on a server's unix socket from the entry to the exit of a ``with`` block."""

    def __init__(self, socket_path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(socket_path))
        self._socket.sendall(b"*1\r\n$7\r\nMONITOR\r\n")
        assert self._socket.recv(5) == b"+OK\r\n"
        self._heard = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        while heard := self._socket.recv(65536):
            self._heard += heard

    @property
    def text(self) -> str:
        """What was said up to now."""
        return self._heard.decode(errors="replace")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
