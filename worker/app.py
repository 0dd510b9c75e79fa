"""The Celery application: settings, queue, schedule and the signals of a worker's life.

No message carries an event, and no result is stored: ``capi.deliver`` is a hint without arguments. Early
acknowledgement is right for it: Celery on Redis can lose a message, and hints are published again every second.
"""

import functools
import os
import sys
from typing import Any, NoReturn

import structlog
from celery import Celery, bootsteps, signals

from capi_relay.errors import MisconfiguredError
from worker.duties import SWEEP_SECONDS, Duties
from worker.heartbeat import Heartbeat
from worker.hints import BROKER_OPTIONS, QUEUE, Hints
from worker.memory import return_what_is_freed
from worker.observability import configure_logging
from worker.reports import init_sentry
from worker.runtime import build
from worker.settings import Settings, load
from worker.shutdown import Shutdown

log = structlog.get_logger(__name__)

SHUTDOWN = Shutdown()


def _refuse_to_start(error: MisconfiguredError) -> NoReturn:
    sys.stderr.write(f"capi-relay cannot start: {error}\n")
    raise SystemExit(2) from None


def _settings() -> Settings:
    try:
        return load()
    except MisconfiguredError as error:
        _refuse_to_start(error)


SETTINGS = _settings()

app = Celery("capi_relay", broker=SETTINGS.broker_url, include=["tasks.deliver", "tasks.maintenance"])
app.conf.update(
    # Celery puts CELERY_BROKER_URL, as it stands, before `broker`: it knows no unix://, and checks no certificate.
    broker_read_url=SETTINGS.broker_url,
    broker_write_url=SETTINGS.broker_url,
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=False,
    task_serializer="json",
    accept_content=["json"],
    result_accept_content=["json"],
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    task_send_sent_event=False,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_soft_shutdown_timeout=20,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_limit=2,
    broker_transport_options={**BROKER_OPTIONS, **SETTINGS.broker_options},
    beat_scheduler="worker.beat:CappedScheduler",
    beat_max_loop_interval=1,
    beat_schedule={
        "tick": {"task": "capi.tick", "schedule": 1.0, "options": {"expires": 5}},
        "sweep": {"task": "capi.sweep", "schedule": float(SWEEP_SECONDS), "options": {"expires": SWEEP_SECONDS}},
    },
    timezone="UTC",
)


def duties() -> Duties:
    """Return this process's duties; a forked child builds its own."""
    return _duties_of(os.getpid())


@functools.cache
def _duties_of(pid: int) -> Duties:  # noqa: ARG001 - the key of the cache
    return Duties(build(SETTINGS, SHUTDOWN), Hints(app))


@functools.cache
def _heartbeat() -> Heartbeat:
    return Heartbeat(duties(), SHUTDOWN, deaf_seconds=SETTINGS.deaf_seconds)


@signals.setup_logging.connect
def _setup_logging(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    configure_logging(SETTINGS.log_format)


@signals.celeryd_init.connect
@signals.beat_init.connect
def _start_reporting(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    rate = SETTINGS.sentry_traces_sample_rate
    init_sentry(SETTINGS.sentry_dsn, SETTINGS.sentry_environment, traces_sample_rate=rate)


@signals.celeryd_init.connect
def _save_memory(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    return_what_is_freed()


@signals.celeryd_init.connect
def _make_room(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    configure_logging(SETTINGS.log_format)
    try:
        with SHUTDOWN.heeding_signals():
            duties().examine()
            duties().relieve()
            duties().keep_going()  # a full broker on a server of its own would end Celery before the first heartbeat
    except MisconfiguredError as error:  # Celery would log what a signal's receiver raises, and go on
        _refuse_to_start(error)
    if SHUTDOWN.is_set():
        raise SystemExit(0)


class _HeartbeatStep(bootsteps.StartStopStep):
    """Start the heartbeat when the pool is there, and before the consumer: that one waits for the broker."""

    requires = ("celery.worker.components:Pool",)

    def start(self, _worker: Any) -> None:  # noqa: ANN401 - Celery's own signature
        _heartbeat().start()


app.steps["worker"].add(_HeartbeatStep)


@signals.worker_shutting_down.connect
def _finish(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    SHUTDOWN.set()


@signals.worker_shutdown.connect
def _wait_for_the_heartbeat(**_: Any) -> None:  # noqa: ANN401 - a signal's arguments
    """Let a POST of the heartbeat's own end, too: it delivers while the broker is away."""
    SHUTDOWN.set()  # a worker that its broker ended was never told
    if _heartbeat().is_alive():
        _heartbeat().join(SETTINGS.http_total_seconds)
