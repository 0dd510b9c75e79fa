"""Decide whether a URL is a safe place to POST events and an access token to."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_PLAIN = re.compile(r"[A-Za-z0-9:/.\[\]_?#@=&+~-]+")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LONGEST_CHARS = 300


def graph_url_problems(url: str, insecure_http_hosts: frozenset[str]) -> list[str]:
    """Return what is wrong with a Graph URL, one sentence each, never repeating the URL; empty: nothing.

    It is a scheme, a host and perhaps a port, no more: the version and the dataset are added for each POST. https
    everywhere, but for a loopback address or a host that is named in insecure_http_hosts.
    """
    if len(url) > _LONGEST_CHARS or not _PLAIN.fullmatch(url):
        # urlsplit drops tabs and line breaks without a word, and other readers of the same URL see another host
        # behind a backslash or a full-width dot: none of these may even be looked at.
        return [
            "the Graph URL holds a character that has no place in it (space, backslash, non-ASCII ...) or is too long"
        ]
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port != 0
    except ValueError:
        return ["the Graph URL has no readable host and port"]
    problems = _problems_of_host(parts.hostname or "")
    if not port_is_fine:
        problems.append("the Graph URL's port is not one from 1 to 65535")
    if "@" in parts.netloc:
        problems.append("the Graph URL must hold no user name or password")
    if parts.path not in {"", "/"} or "?" in url or "#" in url:
        problems.append("the Graph URL ends after host and port: the relay adds the version and the dataset itself")
    return problems + _problems_of_scheme(parts, insecure_http_hosts)


def _problems_of_host(host: str) -> list[str]:
    if not host:
        return ["the Graph URL has no host"]
    if _NAME.fullmatch(host) or _is_address(host):
        return []
    return ["the Graph URL's host is neither a name nor an IP address"]


def _problems_of_scheme(parts: SplitResult, insecure_http_hosts: frozenset[str]) -> list[str]:
    if parts.scheme == "https":
        return []
    if parts.scheme != "http":
        return ["the Graph URL must begin with https://"]
    host = parts.hostname or ""
    if host == "localhost" or (_is_address(host) and ip_address(host).is_loopback):
        return []
    if host in {name.lower() for name in insecure_http_hosts}:
        return []
    return ["the Graph URL must begin with https:// unless its host is loopback or named in CAPI_INSECURE_HTTP_HOSTS"]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
