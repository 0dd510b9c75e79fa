"""Hashing as Meta wants it, SHA-256 of the UTF-8 normal form in lower-case hex, and telling what already is a digest.

Meta's parameter builder appends ``.`` and two or eight characters to its digests; Meta takes them as they are (Meta:
parameter-builder-library), so such a value is a digest too.
"""

import re
from hashlib import sha256
from typing import Final

_HEX_LENGTH: Final = 64
SHORTEST_DIGEST: Final = 32
"""How many characters the shorter of both has at least: no shorter text need be asked."""
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}(?:\.(?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?")
_MD5: Final = re.compile(r"[0-9A-Fa-f]{32}")

SHA256_OF_NOTHING: Final = sha256(b"").hexdigest()
"""What a program gets that hashes an empty field: it would match every other empty field."""


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of the text; raise ``UnicodeEncodeError`` for a lone surrogate."""
    return sha256(text.encode()).hexdigest()


def is_sha256(value: str) -> bool:
    """Tell whether the value already is a SHA-256, in either case, with or without the builder's appendix."""
    return len(value) >= _HEX_LENGTH and _SHA256.fullmatch(value) is not None


def is_md5(value: str) -> bool:
    """Tell whether the value looks like an MD5, which Meta cannot match."""
    return len(value) == SHORTEST_DIGEST and _MD5.fullmatch(value) is not None


def lower_hex(digest: str) -> str:
    """Return a SHA-256 with its hex part in lower case and the builder's appendix as it was."""
    return digest[:_HEX_LENGTH].lower() + digest[_HEX_LENGTH:]
