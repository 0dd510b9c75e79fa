"""A socket that keeps to the budget of one POST: so many seconds and so many bytes in all, however they drip in.

The timeout of requests begins again with each byte that arrives, so a server that sends one byte a second holds its
caller for ever (header bytes included, where no loop of ours could look at a clock). Here every wait of the socket is
cut to what is left of the POST's own time. It needs no watchdog thread, so nothing can fire into the next request of a
kept-alive connection.
"""

import math
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from capi_relay import failpoints

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class AnswerTooLongError(OSError):
    """The server sent more bytes than any answer of Meta's has."""


@dataclass(slots=True)
class Budget:
    """What one POST may use up, and whether a byte of it has left this machine."""

    deadline: float
    """Seconds of the monotonic clock."""
    bytes_left: int
    sent: bool = False

    def seconds_left(self) -> float:
        """Return what is left of the time; raise TimeoutError when nothing is."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time of this POST is used up")
        return seconds


# The sockets are made deep inside urllib3 and outlive a request, so the budget reaches them by this: each thread (and
# each greenlet) sees its own.
_BUDGET: ContextVar[Budget] = ContextVar("budget")


@contextmanager
def budget(seconds: float, most_bytes: int) -> Iterator[Budget]:
    """Give all bounded sockets that this thread uses inside the block one budget to share."""
    spent = Budget(time.monotonic() + seconds, most_bytes)
    before = _BUDGET.set(spent)
    try:
        yield spent
    finally:
        _BUDGET.reset(before)


class BoundedSocket(socket.socket):
    """A TCP socket that keeps to the budget."""

    def recv_into(self, buffer: "WriteableBuffer", *sizes: int) -> int:
        """Receive what comes within the budget; raise TimeoutError or AnswerTooLongError."""
        spent = _BUDGET.get()
        self.settimeout(spent.seconds_left())
        count = super().recv_into(buffer, *sizes)
        spent.bytes_left -= count
        if spent.bytes_left < 0:
            raise AnswerTooLongError("the answer is longer than any of Meta's")
        return count

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send all within the budget; from here on the other side may have received something."""
        spent = _BUDGET.get()
        self.settimeout(spent.seconds_left())
        spent.sent = True
        if failpoints.ARMED and (whole := bytes(data)).startswith(b"{"):  # a body, not its headers
            super().sendall(whole[: len(whole) // 2], flags)
            failpoints.reach("mid_post")
            data = whole[len(whole) // 2 :]
        super().sendall(data, flags)


class BoundedTlsSocket(BoundedSocket, ssl.SSLSocket):  # type: ignore[misc]  # the two bases name recv_into's sizes apart
    """A TLS socket that keeps to the budget."""


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts the given certificates and nothing that the environment names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name, TLS 1.2 at least
    context.load_verify_locations(ca_file)
    context.sslsocket_class = BoundedTlsSocket
    return context


def connect_in_time(connect: Callable[[], socket.socket]) -> BoundedSocket:
    """Connect in a thread of its own, since a name lookup has no timeout and a dead resolver holds it for a minute.

    The socket keeps the timeout that connect gave it, for the TLS handshake, unless less is left. Raises what connect
    raises, and TimeoutError when the budget's time is over first; a connection that comes later is closed.
    """
    spent = _BUDGET.get()
    dialled: Future[socket.socket] = Future()

    def dial() -> None:
        try:
            dialled.set_result(connect())
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            dialled.set_exception(error)

    Thread(target=dial, name="capi-connect", daemon=True).start()
    try:
        plain = dialled.result(spent.seconds_left())
        handshake_seconds = min(plain.gettimeout() or math.inf, spent.seconds_left())
    except TimeoutError:
        dialled.add_done_callback(_close_late)
        raise
    bounded = BoundedSocket(fileno=plain.detach())
    bounded.settimeout(handshake_seconds)
    return bounded


def _close_late(dialled: Future[socket.socket]) -> None:
    if dialled.exception() is None:
        dialled.result().close()
