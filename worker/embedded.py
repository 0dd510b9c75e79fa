"""The embedded event store: a Redis-compatible server in its own directory, for a laptop, the demo and the tests."""

import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from capi_relay.environment import SOCKET_NAME, socket_url
from capi_relay.errors import MisconfiguredError
from worker.errors import StoreUnavailable
from worker.leash import leashed
from worker.server_binary import find_binary

START_SECONDS = 10.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


class EmbeddedServer:
    """One server on one directory: its data, socket, log and lock are there, readable by this user only.

    The lock is inherited by the server, so it is held exactly as long as the server runs. It ends when whoever started
    it is killed; files that a killed server left behind are no hindrance.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        maxmemory: str | None = None,
        appendonly: bool = True,
    ) -> None:
        """Start nothing yet.

        Args:
            directory: is made where it is missing.
            port: listen on 127.0.0.1 too; None: on the unix socket only.
            maxmemory: as the server spells it ("64mb"); None: no limit.
            appendonly: keep what is stored across restarts.

        Raises:
            MisconfiguredError: the socket's path would be too long for the system.
        """
        self.directory = directory.absolute()
        self.socket_path = self.directory / SOCKET_NAME
        self.url = socket_url(self.socket_path)
        if port is not None:
            self.url = f"redis://127.0.0.1:{port}/0"
        self._port = port or 0
        self._maxmemory = maxmemory
        self._appendonly = appendonly
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it was not started here."""
        return self._process.pid if self._process else None

    @property
    def ended(self) -> bool:
        """Whether the server was started here and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            MisconfiguredError: there is no server to run, or one already runs on this directory.
            StoreUnavailable: it ended, or did not answer in time; the message holds what it logged.
        """
        binary = find_binary()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "server.lock").open("a+b") as lock, (self.directory / "server.log").open("a+b") as log:
            self._take(lock)
            before = log.seek(0, os.SEEK_END)
            self._process = process = self._spawn(binary, lock, log)
            lock.truncate(0)
            lock.write(str(process.pid).encode())
            lock.flush()
            try:
                self._wait_for_answer(process)
            except BaseException as error:
                self.kill()
                log.seek(before)
                if isinstance(error, StoreUnavailable):
                    raise StoreUnavailable(f"{error}; its log:\n{log.read().decode(errors='replace')}") from None
                raise

    def stop(self) -> None:
        """End the server in good order; kill it when it takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill the server: what a crash is like. It can be started again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, binary: Path, lock: BinaryIO, log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a server of ours, with arguments from this file
            leashed([binary, *self._arguments()]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock.fileno()],
            umask=0o077,
            start_new_session=True,  # Ctrl-C in a terminal must not end the store before those who use it
        )

    def _arguments(self) -> Iterator[str]:
        options = {
            "dir": self.directory,
            "port": self._port,
            "bind": "127.0.0.1",
            "protected-mode": "yes",
            "unixsocket": self.socket_path,
            "unixsocketperm": "600",
            "daemonize": "no",
            "save": "",
            "appendonly": "yes" if self._appendonly else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "maxmemory": self._maxmemory or "0",
        }
        for name, value in options.items():
            yield from (f"--{name}", str(value))

    def _take(self, lock: BinaryIO) -> None:
        """Take the directory's lock, or refuse."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # A child that a killed server forked to write its file may hold the lock for a moment longer.
                if self._answer() or time.monotonic() > deadline:
                    lock.seek(0)
                    pid = lock.read().decode(errors="replace") or "unknown"
                    raise MisconfiguredError(
                        f"a server already runs on {self.directory}: process {pid}; end that one first"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _wait_for_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (answer := self._answer()) or answer.startswith(b"-LOADING"):
            if answer:  # it reads its file: that may take long, and is no reason to give up
                deadline = time.monotonic() + START_SECONDS
            if (code := process.poll()) is not None:
                raise StoreUnavailable(f"the embedded server ended with code {code}")
            if time.monotonic() > deadline:
                raise StoreUnavailable(f"the embedded server did not answer within {START_SECONDS:g} s")
            time.sleep(_POLL_SECONDS)

    def _answer(self) -> bytes:
        """Return the first bytes of the answer to a PING, empty when there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                return connection.recv(64)
            except OSError:
                return b""
