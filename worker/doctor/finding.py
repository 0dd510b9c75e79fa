"""One thing that was looked at, and what to do about it; no token and no password is in any of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from capi_relay.errors import MisconfiguredError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "problem"]
    subject: str
    finding: str
    fix: str = ""


def findings_of_error(subject: str, error: MisconfiguredError) -> Iterator[Finding]:
    """Turn a message that lists problems into a finding each."""
    heading, *listed = str(error).split("\n  ")
    for problem in listed or [heading]:
        name = problem.partition(":")[0]
        yield Finding(
            "problem", subject, problem, f"Correct {name if name.isidentifier() else 'it'} as the finding says."
        )
