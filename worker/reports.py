"""Error reports, cron monitors and timings for Sentry: scrubbed, one issue for one thing to mend, none without a DSN.

An issue is a log message with what tells its causes apart: the reason of a pause, or door, code and subcode, and the
dataset. ``worker/scrub.py`` takes what is secret or personal out of everything first.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from capi_relay import __version__
from worker.batch import Batch
from worker.repeats import Repeats
from worker.scrub import scrub_fields

if TYPE_CHECKING:
    from sentry_sdk._types import DataCollectionUserOptions
    from sentry_sdk.integrations import Integration

# What the SDK adds to an error by itself (the successor of send_default_pii=False and include_local_variables=False).
_NOTHING: "DataCollectionUserOptions" = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "off"}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    "frame_context_lines": 0,
}
# What tells one cause from another; a report is searched by these and by what names the single case.
_CAUSE = ("reason", "door", "code", "subcode", "dataset_id")
_TAGS = (*_CAUSE, "lane", "fbtrace_id")
# The same issue is reported so often by one process, with how many more there were.
_ISSUE_SECONDS = 60
_BATCH = "capi.batch"
# Sentry knows no shorter schedule, and takes six check-ins a minute of one monitor.
_CHECK_IN_SECONDS = 60
_MINUTES = {"capi-tick": 1, "capi-sweep": 10}


def init_sentry(dsn: str | None, environment: str, *, traces_sample_rate: float = 0.0) -> None:
    """Report errors to Sentry; without a DSN do nothing, and do not even load its package.

    Events, transactions and breadcrumbs pass `clean`. No header is added to the requests to Meta.
    """
    if not dsn:
        return
    import sentry_sdk  # noqa: PLC0415 - loaded only where it is used

    repeats = Repeats()
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=os.environ.get("SENTRY_RELEASE") or f"capi-relay@{__version__}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=_integrations(),
        data_collection=_NOTHING,
        max_request_body_size="never",
        before_send=lambda event, _hint: _once_in_a_while(clean(event), repeats),
        before_send_transaction=clean,
        before_breadcrumb=clean,
        # Without a sampler tracing is off altogether. A tick each second is nothing to look at, a batch is.
        traces_sampler=_batches_only(traces_sample_rate) if traces_sample_rate else None,
        trace_propagation_targets=[],
        spotlight=False,  # it would send a second copy to another place
        shutdown_timeout=2,
    )


def clean(event: Any, _hint: Any = None) -> Any:  # noqa: ANN401 - events, transactions and breadcrumbs of the SDK
    """Return what Sentry may have of an event, a transaction or a breadcrumb; None, so nothing, when that fails."""
    try:
        return scrub_fields({key: part for key, part in event.items() if key not in {"request", "user"}}, keep="\n\t")
    except Exception:  # noqa: BLE001 - whatever it is, what is not scrubbed is not sent
        return None


def as_issue(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scrubbed error with its tags and, where it is a log line without an exception, the name of its issue."""
    extra = event.get("extra", {})
    several = extra.get("dataset_ids")  # of one token, in an order that is always the same: the first names the issue
    facts = {"dataset_id": several[0]} if several else {}
    facts |= {name: extra[name] for name in _TAGS if extra.get(name) is not None}
    facts = {name: str(value) for name, value in facts.items()}
    issue = {**event, "tags": {**event.get("tags", {}), **facts}}
    if "exception" not in event:
        message = event.get("logentry", {}).get("message") or ""
        issue["fingerprint"] = [message, *(f"{name} {facts[name]}" for name in _CAUSE if name in facts)]
    return issue


@contextmanager
def batch_timed(work: Batch) -> Iterator[None]:
    """Time what becomes of one leased batch, for Sentry, where it is on and takes a sample of this one."""
    sentry_sdk = sys.modules.get("sentry_sdk")  # loaded only where there is a DSN
    if sentry_sdk is None:
        yield
        return
    with sentry_sdk.start_transaction(op=_BATCH, name="batch") as transaction:
        try:
            yield
        finally:
            events = [entry.event for entry in work.lease.entries]
            transaction.set_tag("dataset_id", work.lease.dataset_id)
            transaction.set_tag("lane", work.lease.lane)
            transaction.set_tag("outcome", work.outcome)
            for name, value in {
                "events": len(events),
                "bytes": sum(map(len, events)),
                "requests": work.posts,
                "seconds": round(work.seconds, 3),
            }.items():
                transaction.set_data(name, value)


class CheckIns:
    """Tell Sentry's cron monitors that the duties are done: each at most once a minute by one process."""

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self._repeats = Repeats()

    def __call__(self, monitor: str, *, ok: bool) -> None:
        """Say how a duty went; Sentry makes the monitor, and tells people when check-ins stay away or are errors."""
        sentry_sdk = sys.modules.get("sentry_sdk")
        if not self._on or sentry_sdk is None or self._repeats.passes((monitor, ok), _CHECK_IN_SECONDS) is None:
            return
        sentry_sdk.crons.capture_checkin(
            monitor_slug=monitor,
            status="ok" if ok else "error",
            monitor_config={
                "schedule": {"type": "interval", "value": _MINUTES[monitor], "unit": "minute"},
                "checkin_margin": 5,
                "max_runtime": 5,
                "failure_issue_threshold": 3,
                "recovery_threshold": 1,
                "timezone": "UTC",
            },
        )


def _once_in_a_while(event: Any, repeats: Repeats) -> Any:  # noqa: ANN401 - an event of the SDK
    """Keep back what was reported less than a minute ago: an outage must not use up what Sentry takes."""
    if event is None or event.get("type") == "check_in":
        return event
    issue = as_issue(event)
    kept_back = repeats.passes(_key(issue), _ISSUE_SECONDS)
    if kept_back is None:
        return None
    return {**issue, "extra": {**issue.get("extra", {}), "repeated": kept_back}} if kept_back else issue


def _key(issue: Mapping[str, Any]) -> tuple[object, ...]:
    if "fingerprint" in issue:
        return tuple(issue["fingerprint"])
    error = issue["exception"]["values"][-1]
    frames = (error.get("stacktrace") or {}).get("frames") or [{}]
    return error.get("type"), frames[-1].get("module"), frames[-1].get("function"), frames[-1].get("lineno")


def _batches_only(rate: float) -> Any:  # noqa: ANN401 - the SDK's own type for it is private
    return lambda asked: rate if asked["transaction_context"].get("op") == _BATCH else 0.0


def _integrations() -> "list[Integration]":
    """Name each integration: the default set would add the command line's arguments and the list of packages."""
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415 - loaded only where Sentry is used
    from sentry_sdk.integrations.celery import CeleryIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.redis import RedisIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.stdlib import StdlibIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.threading import ThreadingIntegration  # noqa: PLC0415

    return [
        AtexitIntegration(callback=lambda _pending, _timeout: None),  # its own prints to stderr
        CeleryIntegration(propagate_traces=False),
        DedupeIntegration(),
        ExcepthookIntegration(),
        LoggingIntegration(level=logging.INFO, event_level=logging.ERROR),
        RedisIntegration(),
        StdlibIntegration(),  # http.client, and so requests
        ThreadingIntegration(),
    ]
