"""``check``: is everything that a worker needs in place?"""

import os
from dataclasses import asdict
from itertools import chain

import click

from capi_relay.errors import MisconfiguredError
from worker.cli.checks import findings_of, of_failpoint, of_flower
from worker.cli.checks_spool import of_spool
from worker.cli.console import json_option, out, print_json
from worker.doctor.finding import Finding, findings_of_error
from worker.scrub import escape
from worker.settings import load

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(
    "check",
    short_help="Say whether all that a worker needs is in place.",
    epilog="Example: python -m worker check && python -m worker up",
)
@click.option("--offline", is_flag=True, help="Do not reach out to Meta: no handshake, no token is tried.")
@json_option
def command(*, offline: bool, as_json: bool) -> None:
    """Look at the settings, the libraries, the event store, the broker, the datasets and their tokens.

    Each token is tried with one event that Meta must refuse: it is no conversion and nobody's data. Each finding says
    what to do. Exit 1 if there is a problem; a warning is none. Exit 2, as every command, if the
    settings are wrong: then nothing else was looked at.
    """
    found, exit_code = [], 1
    try:
        settings = load()
    except MisconfiguredError as error:
        findings, exit_code = findings_of_error("settings", error), 2
    else:
        findings = chain(
            findings_of(settings, offline=offline),
            of_failpoint(os.environ),
            of_flower(os.environ),
            of_spool(os.environ),
        )
    for finding in findings:
        found.append(finding)
        if not as_json:
            _tell(finding)
    if as_json:
        print_json([asdict(finding) for finding in found])
    if any(finding.level == "problem" for finding in found):
        raise SystemExit(exit_code)


def _tell(finding: Finding) -> None:
    console = out()
    console.print(f"{finding.level:8}", style=_STYLES[finding.level], end="")
    console.print(escape(f"{finding.subject}: {finding.finding}"), soft_wrap=True)
    if finding.fix:
        console.print(escape(f"        {finding.fix}"), soft_wrap=True)
