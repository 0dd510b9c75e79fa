"""Spell a Redis URL the way Celery's transport reads it: pure."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_SENTENCE = "expected redis://, rediss://, unix://, redis+socket:// or sentinel://"


def broker_url_problem(url: str) -> str | None:
    """Return what is wrong with a broker's URL, without repeating it; None: nothing."""
    try:
        parts = urlsplit(url.partition(";")[0])
        place = parts.path if parts.scheme in {"unix", "redis+socket"} else parts.hostname
    except ValueError:
        return _SENTENCE
    known = parts.scheme in {"redis", "rediss", "unix", "redis+socket", "sentinel"}
    return None if known and place else _SENTENCE


def broker_url_of(url: str) -> str:
    """Return a URL in redis-py's spelling in Celery's; what already is in Celery's comes back as it stands.

    Celery's transport knows unix sockets by another scheme and no option in the URL but those of TLS, and it does not
    check the server's certificate unless it is told to.
    """
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
