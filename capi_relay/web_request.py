"""Reading a web request, whatever server and framework took it: WSGI, ASGI, Django, Flask, Starlette and their kin.

Nothing is imported from any of them: what a request is, is told by what it has.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from capi_relay.client_ip import Proxies, is_trusted

_NAMES: Final = "cookie host referer user-agent x-forwarded-for x-forwarded-host x-forwarded-proto"
_HEADERS: Final = frozenset(_NAMES.split())
# Which of them may come several times, and what joins them; of the others the first counts.
_JOINED_BY: Final = {"cookie": "; ", "x-forwarded-for": ", "}
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# Django under ASGI joins cookies by a comma that HTTP/2 has sent one by one.
_BETWEEN_COOKIES: Final = re.compile("[;,]")
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_DEFAULT_PORTS: Final = frozenset({"", "80", "443", "None"})
_SAFE_IN_PATH: Final = "/!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True, repr=False)
class WebRequest:
    """What of a request tells about its visitor."""

    peer: str
    """The address that opened the connection, as the server says; empty on a unix socket."""
    headers: Mapping[str, str]
    """By lower-case name; only those that are used."""
    scheme: str
    server: str
    """The server's own name and port, for a request without ``Host``."""
    target: str
    """Path and query, as a URL writes them."""

    def cookie(self, name: str) -> str | None:
        """Return the first cookie of that name. Unlike ``http.cookies`` this does not stop at an odd neighbour."""
        for pair in _BETWEEN_COOKIES.split(self.headers.get("cookie", "")):
            key, _, value = pair.partition("=")
            if key.strip() == name:
                return value.strip().strip('"')
        return None

    def url(self, proxies: Proxies) -> str | None:
        """Return the URL the visitor asked for; trusted proxies may say with which scheme and host.

        None where the host is no host name.
        """
        scheme, host = self.scheme, self.headers.get("host") or self.server
        if is_trusted(self.peer, proxies):
            said = self._first("x-forwarded-proto").lower()
            scheme = said if said in _SCHEMES else scheme
            host = self._first("x-forwarded-host") or host
        return f"{_SCHEMES.get(scheme, 'https')}://{host}{self.target}" if _HOST.fullmatch(host) else None

    def _first(self, header: str) -> str:
        return self.headers.get(header, "").rpartition(",")[2].strip()


def read(request: object) -> WebRequest:
    """Return what matters of a WSGI environ, an ASGI scope, or a request object that holds one of them.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(meta := getattr(request, "META", None), Mapping):  # Django, Django REST framework
        path: Any = getattr(request, "get_full_path", None)
        return _from_environ(meta, getattr(request, "scheme", None), path() if callable(path) else None)
    # Starlette's request is a mapping as well as the holder of one.
    for holder in (request, getattr(request, "environ", None), getattr(request, "scope", None)):
        if isinstance(holder, Mapping):
            if "REQUEST_METHOD" in holder:
                return _from_environ(holder)
            if "headers" in holder:
                return _from_scope(holder)
    raise TypeError(
        "expected a WSGI environ, an ASGI scope, or a request of Django, Flask or Starlette, "
        f"not {type(request).__name__}"
    )


def _from_environ(environ: Mapping[str, Any], scheme: str | None = None, target: str | None = None) -> WebRequest:
    """Read a WSGI environ (PEP 3333), or Django's ``META``, which under ASGI has neither scheme nor proper path."""
    names = {name: "HTTP_" + name.upper().replace("-", "_") for name in _HEADERS}
    if target is None:
        query = environ.get("QUERY_STRING", "")
        target = _quoted(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")) + (query and f"?{query}")
    return WebRequest(
        peer=environ.get("REMOTE_ADDR") or "",
        headers={name: _text(environ[key]) for name, key in names.items() if key in environ},
        scheme=scheme or environ.get("wsgi.url_scheme", "http"),
        server=_server(environ.get("SERVER_NAME", ""), environ.get("SERVER_PORT", "")),
        target=_text(target),
    )


def _from_scope(scope: Mapping[str, Any]) -> WebRequest:
    """Read an ASGI connection scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value.decode("latin-1"))
        if name in headers and name in _JOINED_BY:
            headers[name] += _JOINED_BY[name] + value
        elif name in _HEADERS:
            headers.setdefault(name, value)
    raw_path, query = scope.get("raw_path"), scope.get("query_string") or b""
    path = raw_path.partition(b"?")[0].decode("latin-1") if raw_path else _quoted(scope.get("path", ""), "utf-8")
    return WebRequest(
        peer=(scope.get("client") or ("",))[0] or "",
        headers=headers,
        scheme=scope.get("scheme", "http"),
        server=_server(*(scope.get("server") or ("", ""))),
        target=path + (query and b"?" + query).decode("latin-1"),
    )


def _server(name: str, port: object) -> str:
    host = f"[{name}]" if ":" in name else name
    return host if str(port) in _DEFAULT_PORTS else f"{host}:{port}"


def _quoted(path: str, encoding: str = "latin-1") -> str:
    """Return a path as a URL writes it; WSGI has its bytes as latin-1 characters."""
    return quote(path.encode(encoding, "replace"), safe=_SAFE_IN_PATH)


def _text(value: object) -> str:
    """Return the text without half characters (lone surrogates), for which JSON would refuse the event."""
    return str(value).encode(errors="ignore").decode().strip()
