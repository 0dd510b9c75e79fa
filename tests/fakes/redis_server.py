"""The Redis of the system's packages, for what the embedded server lacks: TLS, Sentinels, the oldest version."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.fakes.server import free_port

START_SECONDS = 20


def redis_binary() -> str:
    """Return the redis-server on the PATH; skip the test where there is none, but not in CI."""
    found = shutil.which("redis-server")
    if found is None and os.environ.get("CI") == "true":
        raise AssertionError("CI needs redis-server: .ci/run installs it")
    if found is None:
        pytest.skip("redis-server is not installed")
    return found


class RedisServer:
    """One redis-server on loopback, in a folder of its own, with what else the test says in its configuration."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, sentinel: bool = False) -> None:
        self.binary = redis_binary()
        self.folder = folder
        self.port = port or free_port()
        self.options = options
        self.sentinel = sentinel
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, without TLS and without a user."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "server.log").read_text()

    def start(self) -> None:
        """Start it and wait until something listens; a Sentinel rewrites its configuration, so it is written once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "redis.conf"
        if not config.exists():
            own = [] if any(option.startswith("tls-port") for option in self.options) else [f"port {self.port}"]
            config.write_text("\n".join(["bind 127.0.0.1", f"dir {self.folder}", *own, *self.options, ""]))
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, str(config), *(["--sentinel"] if self.sentinel else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self.process.poll() is None, self.log[-2000:]
            assert time.monotonic() < end, self.log[-2000:]
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
