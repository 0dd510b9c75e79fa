"""Taking e-mail addresses out of the query of a URL: shops put them there, and Meta refuses or flags them."""

import re
from typing import Final

REMOVED: Final = "REMOVED"

# The sign may be escaped once or more, as in a URL that carries another one. Bounded, so that no input makes it slow.
_ADDRESS: Final = re.compile(r"[^@=/](?:@|%(?:25){0,4}40)[^@=/]{1,255}?(?:\.|%(?:25){0,4}2e)[^@=/.]", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"(?<=[?&;#])([^=?&;#]*=)?([^?&;#]*)")


def without_addresses(url: str) -> str:
    """Return the URL with the value of each parameter that looks like an e-mail address replaced by ``REMOVED``."""
    if "@" not in url and "40" not in url:
        return url
    return _PARAMETER.sub(_cleaned, url)


def _cleaned(parameter: re.Match[str]) -> str:
    name, value = parameter[1] or "", parameter[2]
    if _ADDRESS.search(name):
        return REMOVED
    return name + REMOVED if _ADDRESS.search(value) else parameter[0]
