"""The worker's settings: read once from the environment, checked as a whole, all problems in one message."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from capi_relay.datasets import MAX_LINGER_SECONDS
from capi_relay.environment import redis_url
from capi_relay.errors import MisconfiguredError
from schemas.messaging import EVENT_NAMES
from worker.broker_url import broker_options_of, broker_url_of, broker_url_problem
from worker.graph_url import graph_url_problems
from worker.settings_reader import SettingsReader
from worker.tokens import AccessToken

MAX_BATCH_EVENTS = 1000  # Meta: using-the-api


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the worker. The repr leaves out what may hold a password."""

    redis_url: str = field(repr=False)
    """CAPI_REDIS_URL: the event store."""
    broker_url: str = field(repr=False)
    """CELERY_BROKER_URL: the Celery broker, in Celery's spelling; where it is unset the event store's server."""
    broker_options: Mapping[str, Any] = field(repr=False)
    """What the transport must be told of that URL beside it: which master Sentinels look after."""
    embedded: bool
    """Whether the event store is the embedded server that ``up`` runs, because CAPI_REDIS_URL is unset."""
    datasets_path: Path | None
    """CAPI_DATASETS: the datasets file."""
    dataset_id: str | None
    """CAPI_DATASET_ID: the one dataset of the short form."""
    access_token: AccessToken | None
    """CAPI_ACCESS_TOKEN: that dataset's token, as it was at the start."""
    access_token_path: Path | None
    """CAPI_ACCESS_TOKEN_FILE: where that token may change while the worker runs."""
    test_event_code: str | None
    """CAPI_TEST_EVENT_CODE: shows that dataset's events on the Test Events page of Events Manager."""
    graph_url: str
    """CAPI_GRAPH_URL: where to POST."""
    graph_version: str
    """CAPI_GRAPH_VERSION: the version of the Graph API."""
    insecure_http_hosts: frozenset[str]
    """CAPI_INSECURE_HTTP_HOSTS: hosts beside loopback that CAPI_GRAPH_URL may name with plain http, comma-separated."""
    messaging_event_names: frozenset[str]
    """CAPI_MESSAGING_EVENT_NAMES: the event names Meta takes with business_messaging, comma-separated."""
    linger_seconds: float
    """CAPI_LINGER_SECONDS: how long a part-filled batch may wait."""
    batch_events: int
    """CAPI_BATCH_EVENTS: the most events in one request."""
    batch_bytes: int
    """CAPI_BATCH_BYTES: the most bytes in one request."""
    freshness_seconds: int
    """CAPI_FRESHNESS_SECONDS: the age at delivery up to which an event counts as fresh."""
    lease_seconds: int
    """CAPI_LEASE_SECONDS: after how long a crashed worker's lane goes to another."""
    http_total_seconds: float
    """CAPI_HTTP_TOTAL_SECONDS: the deadline of one POST, from the connect to the last byte of the answer."""
    pump_seconds: float
    """CAPI_PUMP_SECONDS: how long one ``capi.deliver`` goes on taking lanes."""
    concurrency: int
    """CAPI_CONCURRENCY: how many threads a worker process has, so how many requests are in flight at once."""
    max_hints: int
    """CAPI_MAX_HINTS: the most ``capi.deliver`` messages that may wait in the broker."""
    deaf_seconds: float
    """CAPI_DEAF_SECONDS: a worker that takes nothing for so long although hints wait ends itself; 0: never."""
    dead_letters: int
    """CAPI_DEAD_LETTERS: how many dead letters a dataset may have before its ``dead_full`` takes effect."""
    dead_letter_days: int
    """CAPI_DEAD_LETTER_DAYS: after how many days a dead letter is deleted; 0: never."""
    dedup_bytes: int
    """CAPI_DEDUP_BYTES: the most memory of the event store that remembering delivered events may take."""
    shards: int | None
    """CAPI_SHARDS: what the event store must say; unset: adopt what it says."""
    log_format: Literal["console", "json"]
    """CAPI_LOG_FORMAT: for people or for machines."""
    sentry_dsn: str | None = field(repr=False)
    """SENTRY_DSN: where errors are reported; unset: nowhere."""
    sentry_environment: str
    """SENTRY_ENVIRONMENT: this installation's name in Sentry."""
    sentry_traces_sample_rate: float
    """SENTRY_TRACES_SAMPLE_RATE: the share of batches whose timing goes to Sentry."""
    sentry_monitors: bool
    """SENTRY_MONITORS: whether Sentry's cron monitors are told of ticks and sweeps."""

    @property
    def one_server(self) -> bool:
        """Whether the broker is on the event store's server."""
        return self.broker_url == broker_url_of(self.redis_url)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read all settings.

    Raises:
        MisconfiguredError: names every setting that is wrong and what was expected; of the values only paths.
    """
    env = SettingsReader(os.environ if environ is None else environ)
    settings = _read(env)
    if problems := [*env.problems(), *_contradictions(env, settings)]:
        raise MisconfiguredError("\n  ".join([f"{len(problems)} setting(s) to correct:", *problems]))
    return settings


def _read(env: SettingsReader) -> Settings:
    """Read every setting; one that is wrong has its default here, and is among the reader's problems."""
    store = env.checked("CAPI_REDIS_URL", lambda: redis_url(env.given)) or ""
    broker = env.text("CELERY_BROKER_URL")
    if broker and (problem := broker_url_problem(broker)):
        env.blame("CELERY_BROKER_URL", problem)
        broker = None
    token = env.text("CAPI_ACCESS_TOKEN")
    datasets_path = env.text("CAPI_DATASETS")
    log_format = env.matching("CAPI_LOG_FORMAT", "console", "console|json", "console or json")
    return Settings(
        redis_url=store,
        broker_url=broker_url_of(broker or store),
        broker_options=broker_options_of(broker or store),
        embedded=not env.is_given("CAPI_REDIS_URL"),
        datasets_path=Path(datasets_path) if datasets_path else None,
        dataset_id=env.matching("CAPI_DATASET_ID", None, r"[0-9]{1,32}", "the dataset's id, up to 32 digits"),
        access_token=env.checked("CAPI_ACCESS_TOKEN", lambda: AccessToken(token) if token else None),
        access_token_path=env.file_of("CAPI_ACCESS_TOKEN"),
        test_event_code=env.matching("CAPI_TEST_EVENT_CODE", None, r"[!-~]{1,100}", "a code like TEST12345"),
        graph_url=env.text("CAPI_GRAPH_URL") or "https://graph.facebook.com",
        graph_version=env.matching("CAPI_GRAPH_VERSION", "v23.0", r"v[0-9]+\.[0-9]+", "a version like v23.0"),
        insecure_http_hosts=frozenset(
            host.strip().lower() for host in (env.text("CAPI_INSECURE_HTTP_HOSTS") or "").split(",") if host.strip()
        ),
        messaging_event_names=frozenset(
            name.strip() for name in (env.text("CAPI_MESSAGING_EVENT_NAMES") or "").split(",") if name.strip()
        )
        or EVENT_NAMES,
        linger_seconds=env.number("CAPI_LINGER_SECONDS", 5.0, 0, MAX_LINGER_SECONDS),
        batch_events=env.whole("CAPI_BATCH_EVENTS", 1000, 1, MAX_BATCH_EVENTS),
        batch_bytes=env.whole("CAPI_BATCH_BYTES", 2_000_000, 100_000, 100_000_000),
        freshness_seconds=env.whole("CAPI_FRESHNESS_SECONDS", 3600, 1, 7 * 24 * 3600),
        lease_seconds=env.whole("CAPI_LEASE_SECONDS", 90, 1, 3600),
        http_total_seconds=env.number("CAPI_HTTP_TOTAL_SECONDS", 30.0, 0.1, 600),
        pump_seconds=env.number("CAPI_PUMP_SECONDS", 20.0, 0, 600),
        concurrency=env.whole("CAPI_CONCURRENCY", 16, 1, 1000),
        max_hints=env.whole("CAPI_MAX_HINTS", 64, 1, 10_000),
        deaf_seconds=env.number("CAPI_DEAF_SECONDS", 60.0, 0, 3600),
        dead_letters=env.whole("CAPI_DEAD_LETTERS", 100_000, 1, 100_000_000),
        dead_letter_days=env.whole("CAPI_DEAD_LETTER_DAYS", 7, 0, 3650),
        dedup_bytes=env.whole("CAPI_DEDUP_BYTES", 256_000_000, 0, 10**12),
        shards=env.whole("CAPI_SHARDS", None, 1, 4096),
        log_format="json" if log_format == "json" else "console",
        sentry_dsn=env.matching(
            "SENTRY_DSN", None, r"https?://[^/@\s]+@[^/@\s]+/\S+", "a DSN: https://key@host/number"
        ),
        sentry_environment=env.text("SENTRY_ENVIRONMENT") or "production",
        sentry_traces_sample_rate=env.number("SENTRY_TRACES_SAMPLE_RATE", 0.0, 0, 1),
        sentry_monitors=env.matching("SENTRY_MONITORS", "on", "on|off", "on or off") == "on",
    )


def _contradictions(env: SettingsReader, settings: Settings) -> Iterator[str]:
    """Yield what is wrong between settings that are right by themselves."""
    for problem in graph_url_problems(settings.graph_url, settings.insecure_http_hosts):
        yield f"CAPI_GRAPH_URL: {problem}"
    if settings.lease_seconds < 2 * settings.http_total_seconds:
        yield "CAPI_LEASE_SECONDS: expected twice CAPI_HTTP_TOTAL_SECONDS at least, or a slow POST outlasts its lease"
    if not env.is_given("CAPI_DATASET_ID"):
        for name in filter(env.is_given, ("CAPI_ACCESS_TOKEN", "CAPI_TEST_EVENT_CODE")):
            yield f"{name}: needs CAPI_DATASET_ID, which says whose it is"
