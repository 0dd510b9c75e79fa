"""Meta's click id and browser id: what the cookies ``_fbc`` and ``_fbp`` may hold, and a click id of a click; pure.

A click id is sent as it came: case counts, and nothing is cut off, the parameter builder's appendix included (Meta:
fbp-and-fbc, parameter-builder-library).
"""

import re
from typing import Final
from urllib.parse import unquote

FBC_COOKIE_SECONDS: Final = 7_776_000
"""How long the cookie ``_fbc`` lives: 90 days, as the Pixel's own."""

_APPENDIX: Final = r"(?:\.[A-Za-z0-9_-]{2}(?:[A-Za-z0-9_-]{6})?)?"
_FBCLID: Final = re.compile(r"[A-Za-z0-9_-]+")
_FBC: Final = re.compile(rf"fb\.[0-9]+\.[0-9]{{10,13}}\.[A-Za-z0-9_-]+{_APPENDIX}")
_FBP: Final = re.compile(rf"fb\.[0-9]+\.[0-9]{{10,13}}\.[0-9]+{_APPENDIX}")
# A server that sees no cookie takes the index of example.com: the cookie it sets is for the whole domain.
_SUBDOMAIN_INDEX: Final = 1
_FBCLID_PART: Final = 3


def is_fbc(value: str) -> bool:
    """Tell whether the value is a click id as Meta takes it; a malformed one can cost the whole request."""
    return _FBC.fullmatch(value) is not None


def is_fbp(value: str) -> bool:
    """Tell whether the value is a browser id as the Pixel makes it."""
    return _FBP.fullmatch(value) is not None


def fbclid_in(url: str) -> str | None:
    """Return the first well-formed ``fbclid`` in the URL's query, or None."""
    query = url.partition("#")[0].partition("?")[2]
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name == "fbclid" and _FBCLID.fullmatch(fbclid := unquote(value)):
            return fbclid
    return None


def fbc_from(fbclid: str, click_time_ms: int) -> str:
    """Return the click id of a click at that Unix time in milliseconds."""
    return f"fb.{_SUBDOMAIN_INDEX}.{click_time_ms}.{fbclid}"


def current_fbc(cookie: str | None, fbclid: str | None, click_time_ms: int) -> tuple[str | None, bool]:
    """Return the visitor's click id and whether it is a new one, which belongs into the cookie ``_fbc``.

    A new one is made only of a click that the cookie does not know yet: a cookie that is there holds the true time of
    the click. A malformed cookie counts as none.
    """
    known = cookie if cookie and is_fbc(cookie) else None
    # Not the part after the last dot: that may be the builder's appendix.
    if fbclid is None or (known and known.split(".")[_FBCLID_PART] == fbclid):
        return known, False
    return fbc_from(fbclid, click_time_ms), True
