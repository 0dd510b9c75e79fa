"""The answers that some faults give in place of Meta's: error pages, refusals, bombs."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from simulator.delivery import Reply, error_reply, received
from simulator.errors import GraphError, graph_error
from simulator.faults import Fault

_PAGE = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>"
)
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/json; charset=UTF-8"}


def _refusal(code: int) -> Callable[[Fault, str], Reply]:
    """Return the stand-in that refuses with a Graph error: the one the fault names or else this code's."""
    return lambda fault, _dataset: error_reply(_error(fault, code))


def _error(fault: Fault, code: int) -> GraphError:
    """Return the error that a fault asks for, or its kind's own."""
    error = graph_error(fault.code or code, fault.subcode)
    if fault.status is not None:
        error = replace(error, status=fault.status)
    return error if fault.is_transient is None else replace(error, is_transient=fault.is_transient)


def _usage(dataset: str, minutes: int) -> str:
    """Return the header by which Meta tells how long to wait, in minutes (Meta: rate-limiting)."""
    usage = {
        "type": "ads_management",
        "call_count": 100,
        "total_cputime": 25,
        "total_time": 25,
        "estimated_time_to_regain_access": minutes,
        "ads_api_access_tier": "standard_access",
    }
    return json.dumps({dataset: [usage]})


def _page(status: HTTPStatus) -> Callable[[Fault, str], Reply]:
    return lambda fault, _dataset: Reply(fault.status or status, _PAGE, _HTML)


def _gzip_bomb(fault: Fault, _dataset: str) -> Reply:
    return Reply(HTTPStatus.OK, gzip.compress(bytes(fault.bytes)), _JSON | {"Content-Encoding": "gzip"})


def _redirect(fault: Fault, _dataset: str) -> Reply:
    return Reply(fault.status or HTTPStatus.FOUND, b"", {"Location": fault.location})


def _rate_limited(fault: Fault, dataset: str) -> Reply:
    reply = error_reply(_error(fault, 4))
    return replace(reply, headers={**reply.headers, "X-Business-Use-Case-Usage": _usage(dataset, fault.minutes)})


STAND_INS: Mapping[str, Callable[[Fault, str], Reply]] = {
    "status_500": _refusal(2),
    "code": _refusal(1),
    "poison": _refusal(100),
    "token_revoked": _refusal(190),
    "rate_limited": _rate_limited,
    "too_large": _page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    "redirect": _redirect,
    "html": _page(HTTPStatus.SERVICE_UNAVAILABLE),
    "html_200": _page(HTTPStatus.OK),
    "empty_200": lambda _fault, _dataset: Reply(HTTPStatus.OK, b"", _JSON),
    "gzip_bomb": _gzip_bomb,
    "received_zero": lambda _fault, _dataset: received(0),
}
