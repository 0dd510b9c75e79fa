"""Logging and error reports: set up once per process, scrubbed before anything leaves it."""

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Literal

import structlog

from capi_relay import __version__
from worker.scrub import scrub, scrub_fields

if TYPE_CHECKING:
    from types import TracebackType

    from sentry_sdk._types import DataCollectionUserOptions
    from sentry_sdk.integrations import Integration

# What a log record has of its own: a field of that name would be refused. The first two are arguments of a log call.
_RESERVED = frozenset(logging.makeLogRecord({}).__dict__) - {"exc_info", "stack_info"} | {"message", "asctime"}
# Celery's lines for each message: three a second from the tick alone, which is what Flower shows.
_CHATTER = ("celery.beat", "celery.worker.strategy", "celery.app.trace")
_LINES_OF_THEIR_OWN = ("exception", "stack")

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

_Fields = MutableMapping[str, Any]


def configure_logging(log_format: Literal["console", "json"]) -> None:
    """Send every log line of the process to stderr through one formatter: structlog's, Celery's and the libraries'.

    A line that cannot be written (a full disk, a closed stderr) is given up in silence: it stops no delivery.
    """
    # The standard library would complain about such a line with its raw arguments.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                _without_celerys_copy,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # a plain traceback: no local variables
                _scrub_line,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _renderer(log_format),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda told: _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    # structlog hands its lines over to logging, so that Sentry sees them as it sees all others.
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _rename_reserved,
            structlog.stdlib.render_to_log_kwargs,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def init_sentry(dsn: str | None, environment: str) -> None:
    """Report errors to Sentry; without a DSN do nothing, and do not even load its package.

    Events, transactions and breadcrumbs pass `clean`. Tracing is off, and no header is added to the requests to Meta.
    """
    if not dsn:
        return
    import sentry_sdk  # noqa: PLC0415 - loaded only where it is used

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=os.environ.get("SENTRY_RELEASE") or f"capi-relay@{__version__}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=_integrations(),
        data_collection=_NOTHING,
        max_request_body_size="never",
        before_send=clean,
        before_send_transaction=clean,
        before_breadcrumb=clean,
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


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: "TracebackType | None") -> None:
    """Log what nobody caught, instead of printing it unscrubbed; an interrupt from the keyboard says nothing new."""
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("uncaught %s", kind.__name__, exc_info=(kind, error or kind(), trace))


def _renderer(log_format: Literal["console", "json"]) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    # Its own traceback would be rich's, with local variables.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain, pad_event_to=0)


def _rename_reserved(_logger: object, _name: str, fields: _Fields) -> _Fields:
    return {f"{key}_" if key in _RESERVED else key: value for key, value in fields.items()}


def _without_celerys_copy(_logger: object, _name: str, fields: _Fields) -> _Fields:
    # Celery says everything in the message and once more in this field.
    if str(fields.get("logger")).startswith("celery"):
        fields.pop("data", None)
    return fields


def _scrub_line(_logger: object, _name: str, fields: _Fields) -> _Fields:
    texts = {key: scrub(fields.pop(key), keep="\n\t") for key in _LINES_OF_THEIR_OWN if key in fields}
    return {**scrub_fields(fields), **texts}
