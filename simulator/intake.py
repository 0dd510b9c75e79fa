"""Read one POST: the token from any of its three places, and the events from any of the documented encodings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from aiohttp import web

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as far as it could be read; ``events`` is whatever stood under ``data``, None where nothing did."""

    token: str | None
    events: Any
    readable: bool
    size_bytes: int
    test_event_code: str | None = None
    partner_agent: str | None = None

    @property
    def token_fingerprint(self) -> str | None:
        """Return the first 12 hex digits of the token's SHA-256, which may be shown where the token may not."""
        return None if self.token is None else sha256(self.token.encode()).hexdigest()[:12]

    @property
    def count(self) -> int:
        """Return how many events the request holds."""
        return len(self.events) if isinstance(self.events, list) else 0

    def has_id_with(self, prefix: str) -> bool:
        """Tell whether some event's id begins so."""
        events = self.events if isinstance(self.events, list) else []
        return any(isinstance(event, dict) and str(event.get("event_id", "")).startswith(prefix) for event in events)


async def read(request: web.Request) -> Posted:
    """Read a request's parameters; what cannot be read is told by ``readable``, not raised."""
    form = await request.post() if request.content_type in _FORMS else None
    body = b"" if form is not None else await request.read()
    try:
        parameters = _of_form(form) if form is not None else _of_json(body)
    except (ValueError, RecursionError):
        return Posted(_token(request, {}), None, readable=False, size_bytes=len(body))
    return Posted(
        token=_token(request, parameters),
        events=parameters.get("data"),
        # Meta documents no compressed bodies, so a client must not come to rely on them.
        readable="data" in parameters and "Content-Encoding" not in request.headers,
        size_bytes=len(body) or request.content_length or 0,
        test_event_code=parameters.get("test_event_code"),
        partner_agent=parameters.get("partner_agent"),
    )


def _token(request: web.Request, parameters: Mapping[str, Any]) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    given = request.query.get("access_token") or parameters.get("access_token")
    return given if isinstance(given, str) else None


def _of_json(body: bytes) -> dict[str, Any]:
    parameters = json.loads(body.decode(), parse_constant=_refuse_constant)
    if not isinstance(parameters, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one exception type for whatever cannot be read
    return parameters


def _of_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """Decode ``data``, which travels as text: an array of events, or of texts each of which is an event."""
    parameters = dict(form)
    if isinstance(data := parameters.get("data"), str):
        events = json.loads(data, parse_constant=_refuse_constant)
        if isinstance(events, list):
            events = [json.loads(event) if isinstance(event, str) else event for event in events]
        parameters["data"] = events
    return parameters


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
