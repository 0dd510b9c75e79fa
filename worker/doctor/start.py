"""What a worker looks at when it starts: it refuses what would lose events, and warns of the rest."""

from collections.abc import Iterable

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
    _refuse(of_libraries(installed()))
    try:
        info, skew_ms = store.admin.info(), store.server.skew_ms()
    except StoreUnavailable as error:
        log.warning("the event store's settings are not looked at", why=str(error))
        return
    _refuse((of_version(info), of_eviction(info)))
    for finding in (*of_server(info), of_clock(skew_ms)):
        if finding.level != "ok":
            log.warning("worth a look", subject=finding.subject, finding=finding.finding, fix=finding.fix)


def refusals(store: Store) -> list[Finding]:
    """Return what of the server a worker must not work with; nothing where it does not tell."""
    try:
        info = store.admin.info()
    except StoreUnavailable:
        return []
    return _problems((of_version(info), of_eviction(info)))


def _refuse(findings: Iterable[Finding]) -> None:
    if refused := [f"{each.subject}: {each.finding}. {each.fix}" for each in _problems(findings)]:
        raise MisconfiguredError("\n  ".join([f"{len(refused)} thing(s) to correct:", *refused]))


def _problems(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "problem"]
