"""Spell a Redis URL the way Celery's transport reads it: pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from capi_relay.sentinel_url import is_sentinel, read_sentinel_url

_NO_TLS = "Celery reaches no Sentinel by TLS: leave out tls, or name the server itself with rediss://"
_SENTENCE = "expected redis://, rediss://, unix://, redis+socket:// or sentinel://host,host2/0?master=name"


def broker_url_problem(url: str) -> str | None:
    """Return what is wrong with a broker's URL, without repeating it; None: nothing."""
    try:
        if is_sentinel(url):
            return _NO_TLS if read_sentinel_url(url).tls else None
        parts = urlsplit(url.partition(";")[0])
        place = parts.path if parts.scheme in {"unix", "redis+socket"} else parts.hostname
    except ValueError:
        return _SENTENCE
    known = parts.scheme in {"redis", "rediss", "unix", "redis+socket"}
    return None if known and place else _SENTENCE


def broker_url_of(url: str) -> str:
    """Return a URL in redis-py's spelling in Celery's; what already is in Celery's comes back as it stands.

    Celery's transport knows unix sockets by another scheme and no option in the URL but those of TLS, and it does not
    check the server's certificate unless it is told to.
    """
    if is_sentinel(url):
        return _sentinel_broker(url)
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        return url
    options = dict(parse_qsl(parts.query))
    database = options.get("db")
    if parts.scheme == "unix":
        login = f":{quote(options['password'], safe='')}@" if "password" in options else parts.netloc
        return f"redis+socket://{login}{parts.path}" + (f"?virtual_host={database}" if database else "")
    tls = {key: value for key, value in options.items() if key.startswith("ssl_")}
    if parts.scheme == "rediss":
        tls.setdefault("ssl_cert_reqs", "required")
    path = f"/{database}" if database else parts.path
    return f"{parts.scheme}://{parts.netloc}{path}" + (f"?{urlencode(tls)}" if tls else "")


def broker_options_of(url: str) -> Mapping[str, Any]:
    """Return what Celery's transport must be told beside its URL: for Sentinels the master's name, and their login."""
    if not is_sentinel(url):
        return {}
    read = read_sentinel_url(url)
    login = {"username": read.sentinel_user, "password": read.sentinel_password}
    return {
        "master_name": read.master,
        "sentinel_kwargs": {"socket_timeout": 1, **{name: value for name, value in login.items() if value}},
    }


def _sentinel_broker(url: str) -> str:
    """Spell each Sentinel as a URL of its own, as Celery's transport wants them."""
    read = read_sentinel_url(url)
    login = urlsplit(url).netloc.rpartition("@")[0]
    places = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in read.sentinels)
    return ";".join(f"sentinel://{login + '@' if login else ''}{place}/{read.database}" for place in places)
