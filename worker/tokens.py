"""Hold Meta's access token so that it cannot slip into a log, a pickle, a JSON text or an exception."""

import re
from hashlib import sha256
from hmac import compare_digest
from typing import NoReturn

from capi_relay.errors import MisconfiguredError

_ALLOWED = re.compile(r"[A-Za-z0-9_|-]+")


class AccessToken:
    """One access token: it shows itself as ``***`` and gives its value only through `reveal`.

    Raises MisconfiguredError for a value that could not stand in a header; the message holds no part of the value.
    """

    __slots__ = ("_fingerprint", "_value")

    def __init__(self, value: str) -> None:
        whole = _ALLOWED.match(value)
        if whole is None or whole.end() != len(value):
            at = whole.end() + 1 if whole else 1
            raise MisconfiguredError(
                f"an access token is made of letters, digits, _, - and |, but character {at} of this one "
                f"({len(value)} long) is none of these: look for a line break, a space or a quote copied along"
            )
        self._value = value
        self._fingerprint = sha256(value.encode()).hexdigest()[:12]

    def reveal(self) -> str:
        """Return the token itself: only for the header of a request."""
        return self._value

    @property
    def fingerprint(self) -> str:
        """The first 12 hex digits of the token's SHA-256: enough to tell a new token from a dead one."""
        return self._fingerprint

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AccessToken):
            return NotImplemented
        return compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self._fingerprint)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("an access token is not pickled or copied: it would leave the process with the data")
