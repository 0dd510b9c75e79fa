"""What ``check`` says of a spool: on the host of a web app whose producer has one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from capi_relay.environment import value_of
from capi_relay.errors import MisconfiguredError
from capi_relay.spool_status import SpoolStatus, spool_status
from worker.doctor.finding import Finding, findings_of_error

_OLD_SECONDS = 60


def of_spool(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look into the directory that CAPI_SPOOL_DIR names, if it does."""
    try:
        directory = value_of(environ, "CAPI_SPOOL_DIR")
    except MisconfiguredError as error:
        yield from findings_of_error("spool", error)
        return
    if directory is None:
        return
    try:
        status = spool_status(Path(directory))
    except FileNotFoundError:
        yield Finding("ok", "spool", f"{directory} is not there yet: nothing was spooled")
        return
    except OSError as error:
        fix = "Run check as the user that the web app runs as."
        yield Finding("warning", "spool", f"{directory} cannot be read: {error.strerror}", fix)
        return
    yield from findings_of_status(directory, status)


def findings_of_status(directory: str, status: SpoolStatus) -> Iterator[Finding]:
    """Judge what waits."""
    if not status.files:
        yield Finding("ok", "spool", f"nothing waits in {directory}")
    else:
        waits = (
            f"{status.size_bytes} bytes of events wait in {status.files} files of {directory}, "
            f"the oldest for {status.oldest_seconds:.0f} s"
        )
        fix = (
            "See that the event store answers; then they are drained by the next call of enqueue, or by Producer.drain."
        )
        yield Finding("warning" if status.oldest_seconds > _OLD_SECONDS else "ok", "spool", waits, fix)
    if status.corrupt_files:
        finding = f"{status.corrupt_files} files in {directory} end with a record that is torn or damaged"
        fix = "Whole records before it are drained. Keep the files for a look at the disk, then delete them."
        yield Finding("warning", "spool", finding, fix)
