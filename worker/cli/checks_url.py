"""What ``check`` reads from the URL of a server alone: where it points to, and whether the way there is safe; pure."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from worker.doctor.finding import Finding


def place_of(url: str) -> str:
    """Return where a URL points to, without user, password and options."""
    parts = urlsplit(url.partition(";")[0])
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def server_of(url: str) -> tuple[str, str]:
    """Return what tells servers apart: the database's number does not."""
    parts = urlsplit(url.partition(";")[0])
    if parts.scheme == "redis+socket":
        return "unix", parts.path
    return (parts.hostname or "").lower(), str(parts.port or 6379)


def is_here(host: str) -> bool:
    """Say whether a host is this machine's loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def of_transport(subject: str, url: str) -> Iterator[Finding]:
    """Warn of a server on another machine that is reached without password or encryption."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"} or is_here(parts.hostname or ""):
        return
    missing = [
        *(["encryption"] if parts.scheme == "redis" else []),
        *(["a password"] if not parts.password and "password=" not in parts.query else []),
    ]
    if missing:
        fix = "Use rediss:// and a user with a password, or be sure that nobody else reaches that network."
        yield Finding("warning", subject, f"{place_of(url)} is reached without {' and '.join(missing)}", fix)
    elif "ssl_cert_reqs=none" in parts.query.lower():
        fix = "Name the authority that signed its certificate: ?ssl_ca_certs=/path/ca.pem."
        yield Finding("warning", subject, f"{place_of(url)} is reached without a check of its certificate", fix)
