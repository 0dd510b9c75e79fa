"""Logging: set up once per process, scrubbed before anything leaves it."""

import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Literal

import structlog

from worker.repeats import DropRepeats
from worker.scrub import scrub, scrub_fields

if TYPE_CHECKING:
    from types import TracebackType

# What a log record has of its own: a field of that name would be refused. The first two are arguments of a log call.
_RESERVED = frozenset(logging.makeLogRecord({}).__dict__) - {"exc_info", "stack_info"} | {"message", "asctime"}
# Celery's lines for each message: three a second from the tick alone, which is what Flower shows.
_CHATTER = ("celery.beat", "celery.worker.strategy", "celery.app.trace")
_LINES_OF_THEIR_OWN = ("exception", "stack")

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
            DropRepeats(),
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _rename_reserved,
            structlog.stdlib.render_to_log_kwargs,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


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
