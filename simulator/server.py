"""The routes: Meta's edge, and beside it the ledger and the faults for those who test against it."""

import json
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from simulator import intake
from simulator.delivery import Reply, deliver, error_reply, hang, received, reset
from simulator.errors import MALFORMED, UNKNOWN_PATH, UNSUPPORTED_METHOD, GraphError, graph_error
from simulator.faults import Fault, Faults
from simulator.intake import Posted
from simulator.ledger import Ledger, Origin
from simulator.rules import first_error
from simulator.stand_ins import STAND_INS

MAX_BODY_BYTES = 64_000_000
_VERSION = re.compile(r"v[0-9]+\.[0-9]+")
_DATASET = re.compile(r"[0-9]+")
_TOKEN = re.compile(r"[A-Za-z0-9_|-]+")


@dataclass(frozen=True, slots=True)
class Graph:
    """The fake; ``tokens`` says which tokens each known dataset takes, and an empty one that any takes any."""

    tokens: Mapping[str, Collection[str]]
    faults: Faults
    ledger: Ledger

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get("/_health", self.health),
                web.get("/_faults", self.list_faults),
                web.post("/_faults", self.replace_faults),
                web.get("/_ledger", self.summary),
                web.delete("/_ledger", self.clear),
                web.get("/_ledger/events", self.stream_events),
                web.route("*", "/{version}/{dataset}/events", self.events),
                web.route("*", "/{path:.*}", self.unknown_path),
            ],
        )
        return app

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Take the events of one request, or refuse all of them."""
        if request.method != "POST":
            return error_reply(UNSUPPORTED_METHOD).response()
        dataset = request.match_info["dataset"]
        number = self.ledger.asked(dataset)
        if self._fault(dataset, None):
            return reset(request)
        try:
            posted = await intake.read(request)
        except (ConnectionError, web.RequestPayloadError):
            return web.Response()  # goes nowhere: the client broke off, and nothing is recorded
        self.ledger.saw(posted.count)
        fault = self._fault(dataset, posted)
        if fault and fault.kind == "hang":
            return await hang(request, fault.seconds)
        reply = self._answer(request, posted, number, fault)
        if reply.error:
            self.ledger.refused(reply.error.name)
        return await deliver(request, reply, fault)

    def _fault(self, dataset: str, posted: Posted | None) -> Fault | None:
        fault = self.faults.pick(dataset, posted)
        if fault:
            self.ledger.fault(fault.kind)
        return fault

    def _answer(self, request: web.Request, posted: Posted, number: int, fault: Fault | None) -> Reply:
        """Decide the answer, and record the events where it is a good one."""
        if fault and (stand_in := STAND_INS.get(fault.kind)):
            reply = stand_in(fault, request.match_info["dataset"])
        elif error := self._refusal(request, posted):
            reply = error_reply(error)
        else:
            missing = fault.missing if fault and fault.kind == "received_short" else 0
            reply = self._take(request.match_info["dataset"], posted, number, missing)
        return replace(reply, headers={**reply.headers, **fault.headers}) if fault else reply

    def _refusal(self, request: web.Request, posted: Posted) -> GraphError | None:
        """Judge path, token, dataset and events, in this order."""
        dataset = request.match_info["dataset"]
        if not _VERSION.fullmatch(request.match_info["version"]):
            return UNKNOWN_PATH
        if posted.token is None:
            return graph_error(104)
        if not self._knows(posted.token):
            return graph_error(190)
        if not _DATASET.fullmatch(dataset):
            return graph_error(803)
        # Meta says the same of a dataset that does not exist and of one that this good token may not use.
        if self.tokens and posted.token not in self.tokens.get(dataset, ()):
            return graph_error(100, 33)
        return first_error(posted.events, time.time()) if posted.readable else MALFORMED

    def _knows(self, token: str) -> bool:
        known = not self.tokens or any(token in theirs for theirs in self.tokens.values())
        return known and _TOKEN.fullmatch(token) is not None

    def _take(self, dataset: str, posted: Posted, number: int, missing: int) -> Reply:
        events = posted.events[: max(0, posted.count - missing)]
        origin = Origin(
            dataset=dataset,
            token_fingerprint=posted.token_fingerprint,
            at=time.time(),
            request=number,
            test_event_code=posted.test_event_code,
            partner_agent=posted.partner_agent,
        )
        try:
            self.ledger.take(origin, events)
        except (ValueError, RecursionError):
            return error_reply(MALFORMED)
        return received(len(events))

    async def unknown_path(self, _request: web.Request) -> web.Response:
        """Refuse a path that no edge of Graph's has."""
        return error_reply(UNKNOWN_PATH).response()

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the simulator is up."""
        return web.json_response({"status": "ok"})

    async def list_faults(self, _request: web.Request) -> web.Response:
        """Tell which faults are switched on."""
        return web.json_response(self.faults.listed())

    async def replace_faults(self, request: web.Request) -> web.Response:
        """Switch faults on and all others off."""
        try:
            self.faults.replace(json.loads(await request.read()))
        except (ValueError, TypeError) as error:
            return web.json_response({"problem": str(error)}, status=400)
        return web.json_response(self.faults.listed())

    async def summary(self, _request: web.Request) -> web.Response:
        """Tell the counts."""
        return web.json_response(self.ledger.summary())

    async def clear(self, _request: web.Request) -> web.Response:
        """Forget what was taken."""
        self.ledger.clear()
        return web.json_response(self.ledger.summary())

    async def stream_events(self, request: web.Request) -> web.StreamResponse:
        """Stream the accepted events as JSON lines, all or ``?dataset=ID``'s; ``?raw=1`` adds the events themselves."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for lines in self.ledger.lines(request.query.get("dataset"), raw=request.query.get("raw") == "1"):
            await response.write(lines)
        return response
