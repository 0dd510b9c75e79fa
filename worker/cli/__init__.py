"""The commands, ``python -m worker ...``: one file a group; here they are put together.

Exit codes: 0 fine, 1 a problem was found or the event store is away, 2 misuse or wrong settings.
"""

from typing import Any

import click

from capi_relay import __version__
from capi_relay.errors import MisconfiguredError
from worker.cli import check, dead, demo, erase, metrics, pause, reconcile, send, status, up, validate
from worker.errors import StoreUnavailable

_STORE_HINT = (
    "CAPI_REDIS_URL says where the event store is; without it, `python -m worker up` runs one here; "
    "`python -m worker check` tells more."
)


class _Misconfigured(click.ClickException):
    exit_code = 2


class Commands(click.Group):
    """Turns the errors that a person can mend into one message and an exit code; all others stay as they are."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MisconfiguredError as error:
            raise _Misconfigured(str(error)) from None
        except StoreUnavailable as error:
            raise click.ClickException(f"{error}\n{_STORE_HINT}") from None


@click.group(
    cls=Commands,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
    epilog="Example: python -m worker status",
)
@click.version_option(__version__, prog_name="capi-relay", message="%(prog)s %(version)s")
def main() -> None:
    """Run and look after capi-relay: conversion events on their way to Meta.

    Settings come from the environment (CAPI_REDIS_URL, CAPI_DATASETS ...). Exit codes: 0 fine, 1 a problem was found,
    2 misuse.
    """


for _command in (
    check.command,
    up.command,
    demo.command,
    send.command,
    validate.command,
    status.command,
    dead.group,
    pause.pause,
    pause.resume,
    reconcile.command,
    erase.command,
    metrics.command,
):
    main.add_command(_command)
