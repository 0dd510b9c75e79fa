"""What ``check`` looks at, each finding with its fix; no token and no password is in any of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from kombu import Connection

from capi_relay.errors import MisconfiguredError
from worker.broker_url import broker_url_of
from worker.datasets import Datasets
from worker.errors import StoreUnavailable
from worker.runtime import open_store
from worker.scrub import redact
from worker.settings import Settings

_MIN_VERSION = (7, 0)  # the first whose scripts have flags
_META = "https://graph.facebook.com"
_TIMEOUT_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "problem"]
    subject: str
    finding: str
    fix: str = ""


def findings_of(settings: Settings) -> Iterator[Finding]:
    """Look at everything that the settings name."""
    yield Finding("ok", "settings", "all are readable")
    yield from _of_store(settings)
    yield from _of_broker(settings)
    yield from _of_datasets(settings)
    yield of_graph(settings.graph_url, settings.graph_version)


def findings_of_error(subject: str, error: MisconfiguredError) -> Iterator[Finding]:
    """Turn a message that lists problems into a finding each."""
    heading, *listed = str(error).split("\n  ")
    for problem in listed or [heading]:
        name = problem.partition(":")[0]
        yield Finding(
            "problem", subject, problem, f"Correct {name if name.isidentifier() else 'it'} as the finding says."
        )


def place_of(url: str) -> str:
    """Return where a URL points to, without user, password and options."""
    parts = urlsplit(url.partition(";")[0])
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def of_server(info: Mapping[str, str]) -> Iterator[Finding]:
    """Judge what the event store's server says of itself."""
    version = info.get("redis_version", "")
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers >= _MIN_VERSION:
        yield Finding("ok", "server version", name)
    else:
        yield Finding(
            "problem", "server version", f"{name or 'unknown'} is too old", "Use Redis 7.0 or Valkey 8, or newer."
        )
    policy, maxmemory = info.get("maxmemory-policy", ""), int(info.get("maxmemory", 0))
    if policy != "noeviction" and maxmemory:
        finding = f"maxmemory-policy is {policy}: a full server would throw events away"
        yield Finding("problem", "eviction", finding, "Set maxmemory-policy to noeviction on the server.")
    else:
        limit = f"maxmemory is {maxmemory} bytes" if maxmemory else "there is no maxmemory"
        yield Finding("ok", "eviction", f"nothing is evicted: maxmemory-policy is {policy}, {limit}")
    if info.get("appendonly") == "yes":
        yield Finding("ok", "persistence", "appendonly is on")
    else:
        finding = "appendonly is off: a restart of the server loses waiting events"
        yield Finding("warning", "persistence", finding, "Set appendonly to yes on the server.")


def of_transport(subject: str, url: str) -> Iterator[Finding]:
    """Warn of a server on another machine that is reached without password or encryption."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"} or _is_here(parts.hostname or ""):
        return
    missing = [
        *(["encryption"] if parts.scheme == "redis" else []),
        *(["a password"] if not parts.password and "password=" not in parts.query else []),
    ]
    if missing:
        fix = "Use rediss:// and a user with a password, or be sure that nobody else reaches that network."
        yield Finding("warning", subject, f"{place_of(url)} is reached without {' and '.join(missing)}", fix)


def of_graph(url: str, version: str) -> Finding:
    """Say where events go."""
    if url.rstrip("/") == _META:
        return Finding("ok", "Graph URL", f"{url}, version {version}")
    fix = "Leave CAPI_GRAPH_URL out to send to Meta."
    return Finding("warning", "Graph URL", f"events go to {url}, not to Meta; version {version}", fix)


def _of_store(settings: Settings) -> Iterator[Finding]:
    where = place_of(settings.redis_url)
    with closing(open_store(settings)) as store:
        try:
            store.admin.ping()
            yield Finding("ok", "event store", f"{where} answers; shards: {store.shards}")
        except MisconfiguredError as error:
            yield from findings_of_error("event store", error)
        except StoreUnavailable as error:
            started = (
                "Start it with `python -m worker up`, or set" if settings.embedded else "Start the server, or correct"
            )
            yield Finding("problem", "event store", f"{where}: {redact(str(error))}", f"{started} CAPI_REDIS_URL.")
            return
        try:
            yield from of_server(store.admin.info())
        except StoreUnavailable:
            finding = "the server does not let its settings be read"
            fix = "See for yourself that it is version 7.0 or newer, maxmemory-policy noeviction, appendonly yes."
            yield Finding("warning", "server settings", finding, fix)
    yield from of_transport("event store", settings.redis_url)


def _of_broker(settings: Settings) -> Iterator[Finding]:
    where = place_of(settings.broker_url)
    options = {"socket_connect_timeout": _TIMEOUT_SECONDS, "socket_timeout": _TIMEOUT_SECONDS}
    try:
        with Connection(settings.broker_url, transport_options=options) as connection:
            connection.ensure_connection(max_retries=1, timeout=_TIMEOUT_SECONDS)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own, and their texts may hold the URL
        fix = "Start the server, or correct CELERY_BROKER_URL."
        yield Finding("problem", "broker", f"{where} does not answer ({type(error).__name__})", fix)
        return
    yield Finding("ok", "broker", f"{where} answers")
    yield from of_transport("broker", settings.broker_url)
    if not settings.embedded and _server(settings.broker_url) == _server(broker_url_of(settings.redis_url)):
        finding = "the event store and the broker are one server: full of events, it stops the broker too"
        yield Finding("warning", "broker", finding, "In production give CELERY_BROKER_URL a server of its own.")


def _of_datasets(settings: Settings) -> Iterable[Finding]:
    try:
        datasets = Datasets(settings)
    except MisconfiguredError as error:
        return list(findings_of_error("datasets", error))
    found = [dataset for dataset in map(datasets.get, datasets.ids()) if dataset]
    if not found:
        fix = "Name a datasets file in CAPI_DATASETS, or set CAPI_DATASET_ID and CAPI_ACCESS_TOKEN."
        return [Finding("warning", "datasets", "none is configured: events of every dataset wait", fix)]
    fix = "Give it token, token_file or token_env, and see that it can be read; its events wait until then."
    return [
        Finding("ok", f"dataset {dataset.dataset_id}", "has an access token")
        if dataset.token
        else Finding("warning", f"dataset {dataset.dataset_id}", "has no access token", fix)
        for dataset in found
    ]


def _server(url: str) -> tuple[str, str]:
    """Return what tells servers apart: the database's number does not."""
    parts = urlsplit(url.partition(";")[0])
    if parts.scheme == "redis+socket":
        return "unix", parts.path
    return (parts.hostname or "").lower(), str(parts.port or 6379)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
