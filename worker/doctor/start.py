"""What a worker looks at when it starts: it refuses what would lose events, and warns of the rest."""

from collections.abc import Iterator

import structlog

from capi_relay.errors import MisconfiguredError
from worker.doctor.finding import Finding
from worker.doctor.libraries import installed, of_libraries
from worker.doctor.server import of_clock, of_eviction, of_server, of_version
from worker.errors import StoreUnavailable
from worker.store import Store

log = structlog.get_logger(__name__)


def examine(store: Store) -> None:
    """Log each finding that is not ok; Meta is not asked. A store that is away is no reason not to start.

    Raises:
        MisconfiguredError: with this server or these libraries events would be lost, or never delivered.
    """
    refused = [*_problems(of_libraries(installed())), *refusals(store)]
    if refused:
        raise MisconfiguredError("\n  ".join([f"{len(refused)} thing(s) to correct:", *map(_sentence, refused)]))
    try:
        findings = [*of_server(store.admin.info()), of_clock(store.server.skew_ms())]
    except StoreUnavailable as error:
        log.warning("the event store's settings are not looked at", why=str(error))
        return
    for finding in findings:
        if finding.level != "ok":
            log.warning("worth a look", subject=finding.subject, finding=finding.finding, fix=finding.fix)


def refusals(store: Store) -> list[Finding]:
    """Return what of the server a worker must not work with; nothing where it does not tell."""
    try:
        info = store.admin.info()
    except StoreUnavailable:
        return []
    return list(_problems(iter((of_version(info), of_eviction(info)))))


def _problems(findings: Iterator[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.level == "problem")


def _sentence(finding: Finding) -> str:
    return f"{finding.subject}: {finding.finding}. {finding.fix}"
