"""What can come back from a POST: a whole answer, surely nothing sent, or nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, whatever it says."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    """As it came. Meta's texts may quote what was sent, so it has no place in a log."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not a byte of the request left this machine: name resolution, connect or TLS failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Meta may or may not have taken the batch: time-out, reset, torn or over-long answer."""

    reason: str


Answer = Response | NotSent | InDoubt
