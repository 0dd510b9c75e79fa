"""A real event store for a test: the embedded server, on a directory or a port of its own."""

import socket

from worker.embedded import EmbeddedServer

__all__ = ["EmbeddedServer", "free_port"]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
