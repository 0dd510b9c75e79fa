"""How an answer goes out: whole, or cut, torn, dripping or not at all."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

from aiohttp import web

from simulator.errors import GraphError, envelope
from simulator.faults import Fault

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent; ``error`` is what it refuses with, for the ledger."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    error: GraphError | None = None

    def response(self) -> web.Response:
        """Return the answer as aiohttp sends it."""
        return web.Response(status=self.status, body=self.body, headers=self.headers)

    def on_the_wire(self) -> tuple[bytes, bytes]:
        """Return the answer's head and body as the bytes of HTTP/1.1."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode(), self.body


def json_reply(status: int, content: Mapping[str, Any], error: GraphError | None = None) -> Reply:
    """Return an answer in Graph's own form."""
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    return Reply(status, json.dumps(content).encode(), headers, error)


def error_reply(error: GraphError) -> Reply:
    """Return a refusal."""
    return json_reply(error.status, envelope(error, new_trace_id()), error)


def received(count: int) -> Reply:
    """Return the answer that takes this many events."""
    return json_reply(HTTPStatus.OK, {"events_received": count, "messages": [], "fbtrace_id": new_trace_id()})


def new_trace_id() -> str:
    """Return an id of the form Meta gives each answer."""
    return "A" + token_urlsafe(16)


async def deliver(request: web.Request, reply: Reply, fault: Fault | None) -> web.StreamResponse:
    """Send an answer in the way a fault says; without one, plainly."""
    match fault.kind if fault else None:
        case "slow" if fault:
            await asyncio.sleep(fault.seconds)
        case "truncated_json":
            reply = Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
        case "reset_after":
            return reset(request)
        case "torn":
            head, body = reply.on_the_wire()
            return _raw(request, head + body[: len(body) // 2])
        case "drip" if fault:
            return await _drip(request, b"".join(reply.on_the_wire()), fault.seconds)
    return reply.response()


async def hang(request: web.Request, seconds: float) -> web.StreamResponse:
    """Answer nothing, and hang up after some time."""
    await asyncio.sleep(seconds)
    return _raw(request, b"")


def reset(request: web.Request) -> web.StreamResponse:
    """End the connection with a TCP reset."""
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()  # goes nowhere: the connection is gone


async def _drip(request: web.Request, data: bytes, seconds: float) -> web.StreamResponse:
    for position in range(len(data)):
        if request.transport is None or request.transport.is_closing():
            break
        request.transport.write(data[position : position + 1])
        await asyncio.sleep(seconds)
    return _raw(request, b"")


def _raw(request: web.Request, data: bytes) -> web.StreamResponse:
    """Write bytes past aiohttp and close."""
    if request.transport is not None:
        request.transport.write(data)
        request.transport.close()
    return web.Response()  # goes nowhere: the connection is closing
