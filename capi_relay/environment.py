"""What the producer and the worker read alike from the environment: a setting's text, and where the event store is."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from capi_relay.errors import MisconfiguredError
from capi_relay.sentinel_url import is_sentinel, read_sentinel_url

EMBEDDED_DIRECTORY = ".capi"
SOCKET_NAME = "redis.sock"
REDIS_SCHEMES = ("redis", "rediss", "unix")
# The kernel's field for a socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
MAX_SOCKET_PATH_BYTES = 103


def value_of(environ: Mapping[str, str], name: str) -> str | None:
    """Return a setting's text without surrounding white space, or None when it is unset or empty.

    ``<name>_FILE`` names a file that holds the value instead: how container platforms hand over secrets.

    Raises:
        MisconfiguredError: both are set, or the file cannot be read.
    """
    value = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip()
    if value and path:
        raise MisconfiguredError(f"{name} and {name}_FILE are both set: keep one of them")
    if not path:
        return value or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise MisconfiguredError(f"{name}_FILE: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MisconfiguredError(f"{name}_FILE: {path} is not UTF-8 text") from None


def redis_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the event store's URL: ``CAPI_REDIS_URL``, or the embedded server's socket under the current directory.

    Raises:
        MisconfiguredError: the URL is not one of Redis, or the socket's path is too long for the system.
    """
    url = value_of(environ, "CAPI_REDIS_URL")
    if url is None:
        return socket_url(Path.cwd() / EMBEDDED_DIRECTORY / SOCKET_NAME)
    if not _is_redis_url(url):
        raise MisconfiguredError(
            "CAPI_REDIS_URL: expected redis://host:6379/0, rediss://host:6379/0 (TLS), unix:///path/to/redis.sock "
            "or sentinel://host:26379,host2:26379/0?master=name"
        )
    return url


def socket_url(path: Path) -> str:
    """Return the URL of a unix socket.

    Raises:
        MisconfiguredError: the path is longer than a socket's path may be.
    """
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_PATH_BYTES:
        raise MisconfiguredError(
            f"the embedded server's socket {path} has a path of {length} bytes, the system allows "
            f"{MAX_SOCKET_PATH_BYTES}: start from a directory with a shorter path, or set CAPI_REDIS_URL"
        )
    return f"unix://{quote(str(path))}"


def _is_redis_url(url: str) -> bool:
    try:
        if is_sentinel(url):
            return bool(read_sentinel_url(url))
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else parts.hostname
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in REDIS_SCHEMES and bool(place) and port != 0
