"""One thing that was looked at, and what to do about it; no token and no password is in any of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from capi_relay.errors import MisconfiguredError

PERCENT_ENCODED = "Special characters in a URL's user and password are percent-encoded: %40 for @, %25 for %."
_URLS_WITH_PASSWORD = ("CAPI_REDIS_URL", "CELERY_BROKER_URL")


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
        fix = f"Correct {name if name.isidentifier() else 'it'} as the finding says."
        yield Finding("problem", subject, problem, f"{fix} {PERCENT_ENCODED}" if name in _URLS_WITH_PASSWORD else fix)


def fix_of_login(name: str) -> str:
    """Return what to do where a server refuses the user and password of the URL in this setting, or wants some."""
    return f"Correct the user and the password in {name}. {PERCENT_ENCODED}"
