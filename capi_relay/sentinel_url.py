"""Read the URL of an event store that Sentinels look after: pure.

``sentinel://user:password@host:26379,host2:26379/0?master=name``: user, password and database are those of the Redis
servers. ``sentinel_user`` and ``sentinel_password`` are the Sentinels' own. ``tls=true`` encrypts the way to all of
them, with ``ssl_ca_certs`` and its like as redis-py knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEME = "sentinel"
EXPECTED = "expected sentinel://host:26379,host2:26379/0?master=name"
_PORT = 26379
_MAX_PORT = 65535
_OWN = frozenset({"master", "sentinel_user", "sentinel_password", "tls"})


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """Where the Sentinels are, which master is meant, and how to log in. The repr leaves out the passwords."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    database: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_user: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    tls: bool = False
    tls_options: Mapping[str, str] = field(default_factory=dict)


def is_sentinel(url: str) -> bool:
    """Say whether a URL is in this spelling, and not in Celery's, which names the master elsewhere."""
    return url.startswith(f"{SCHEME}://") and "master=" in url


def read_sentinel_url(url: str) -> SentinelUrl:
    """Read it.

    Raises:
        ValueError: it is none; the message repeats no part of it.
    """
    parts = urlsplit(url)
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = [name for name in options if name not in _OWN and not name.startswith("ssl_")]
    database = parts.path.strip("/") or "0"
    tls = options.get("tls", "false").lower()
    right = parts.scheme == SCHEME and places and options.get("master") and not unknown and tls in {"true", "false"}
    if not (right and database.isascii() and database.isdigit()):
        raise ValueError(EXPECTED)
    return SentinelUrl(
        sentinels=tuple(_place(place) for place in places.split(",")),
        master=options["master"],
        database=int(database),
        user=unquote(user) or None,
        password=unquote(password) or None,
        sentinel_user=options.get("sentinel_user"),
        sentinel_password=options.get("sentinel_password"),
        tls=tls == "true",
        tls_options={name: value for name, value in options.items() if name.startswith("ssl_")},
    )


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, port = (host, port) if colon else (text, str(_PORT))
    if not (host.strip("[]") and port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT):
        raise ValueError(EXPECTED)
    return host.strip("[]"), int(port)
