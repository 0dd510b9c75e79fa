"""Make foreign text safe to keep and to show: no control characters, nothing that looks personal or secret, short."""

import re
import unicodedata

MASK = "***"
_MOST_CHARS_READ = 2000
_SECRETS = re.compile(
    r"EAA[A-Za-z0-9_|-]+"  # an access token
    r"|[0-9A-Fa-f]{32,}"  # a SHA-256 or MD5, or what was cut off one
    r"|[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;]+"  # an e-mail address
)


def safe_text(text: str, most_chars: int = 200) -> str:
    """Return the text in one line of printable characters, its secrets masked, cut to most_chars."""
    printable = "".join(" " if char.isspace() else char for char in text[:_MOST_CHARS_READ] if _has_a_place(char))
    return _SECRETS.sub(MASK, " ".join(printable.split()))[:most_chars]


def _has_a_place(char: str) -> bool:
    # Category C: controls, terminal escapes, bidirectional overrides, zero-width characters, lone surrogates.
    return char.isspace() or unicodedata.category(char)[0] != "C"
