"""``check``: is everything that a worker needs in place?"""

from collections.abc import Iterator
from dataclasses import asdict

import click

from capi_relay.errors import MisconfiguredError
from worker.cli.checks import Finding, findings_of, findings_of_error
from worker.cli.console import json_option, out, print_json
from worker.scrub import escape
from worker.settings import load

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(
    "check",
    short_help="Say whether all that a worker needs is in place.",
    epilog="Example: python -m worker check && python -m worker up",
)
@json_option
def command(*, as_json: bool) -> None:
    """Look at the settings, the event store, the broker, the datasets and their tokens; send nothing.

    Each finding says what to do. Exit 1 if there is a problem; a warning is none.
    """
    found = []
    for finding in _findings():
        found.append(finding)
        if not as_json:
            _tell(finding)
    if as_json:
        print_json([asdict(finding) for finding in found])
    if any(finding.level == "problem" for finding in found):
        raise SystemExit(1)


def _findings() -> Iterator[Finding]:
    try:
        settings = load()
    except MisconfiguredError as error:
        yield from findings_of_error("settings", error)
        return
    yield from findings_of(settings)


def _tell(finding: Finding) -> None:
    console = out()
    console.print(f"{finding.level:8}", style=_STYLES[finding.level], end="")
    console.print(escape(f"{finding.subject}: {finding.finding}"), soft_wrap=True)
    if finding.fix:
        console.print(escape(f"        {finding.fix}"), soft_wrap=True)
