"""What ``check`` looks at, each finding with its fix; no token and no password is in any of them."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime

from kombu import Connection

from capi_relay.environment import value_of
from capi_relay.errors import MisconfiguredError
from worker.broker_url import broker_url_of
from worker.cli.checks_meta import of_tls, of_tokens
from worker.cli.checks_store import of_store
from worker.cli.checks_url import is_here, of_transport, place_of, server_of
from worker.datasets import Dataset, Datasets
from worker.doctor.finding import Finding, findings_of_error, fix_of_login
from worker.doctor.graph import of_graph_version
from worker.doctor.libraries import installed, of_libraries
from worker.runtime import open_store
from worker.settings import Settings

_META = "https://graph.facebook.com"
_TIMEOUT_SECONDS = 3
_MIN_PASSWORD = 12


def findings_of(settings: Settings, *, offline: bool = False) -> Iterator[Finding]:
    """Look at everything that the settings name; offline: but for Meta."""
    yield Finding("ok", "settings", "all are readable")
    yield from of_libraries(installed())
    with closing(open_store(settings, patient=False)) as store:
        yield from of_store(settings, store)
    yield from _of_broker(settings)
    yield of_graph(settings.graph_url, settings.graph_version)
    yield of_graph_version(settings.graph_version, datetime.now(UTC).date())
    try:
        datasets = Datasets(settings)
    except MisconfiguredError as error:
        yield from findings_of_error("datasets", error)
        return
    found = [dataset for dataset in map(datasets.get, datasets.ids()) if dataset]
    yield from _of_datasets(found, asked=not offline)
    if not offline:
        reached = of_tls(settings.graph_url)
        yield reached
        if reached.level == "ok":
            yield from of_tokens(settings, found)


def of_graph(url: str, version: str) -> Finding:
    """Say where events go."""
    if url.rstrip("/") == _META:
        return Finding("ok", "Graph URL", f"{url}, version {version}")
    fix = "Leave CAPI_GRAPH_URL out to send to Meta."
    return Finding("warning", "Graph URL", f"events go to {url}, not to Meta; version {version}", fix)


def of_flower(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Judge Flower's password where Flower is reached from other machines; on loopback it needs none of ours."""
    address = environ.get("FLOWER_ADDRESS") or "127.0.0.1"
    if is_here(address):
        return
    try:
        pair = value_of(environ, "FLOWER_BASIC_AUTH") or ""
    except MisconfiguredError as error:
        yield from findings_of_error("Flower", error)
        return
    user, _, password = pair.partition(":")
    if not (user and password and pair.isascii()):
        finding = f"it is to listen on {address} and has no password: it does not start"
        yield Finding("problem", "Flower", finding, "Set FLOWER_BASIC_AUTH to user:password, in plain ASCII.")
    elif len(password) < _MIN_PASSWORD or password in {user, "password" * 2}:
        finding = f"it listens on {address}, and its password is short: it can be guessed"
        fix = f"Give FLOWER_BASIC_AUTH a random password of {_MIN_PASSWORD} characters or more."
        yield Finding("warning", "Flower", finding, fix)
    else:
        yield Finding("ok", "Flower", f"it listens on {address}, behind a password; its own port has no encryption")


def of_failpoint(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Warn of what makes processes fail on purpose: it has no place where people's events are delivered."""
    if environ.get("CAPI_FAILPOINT"):
        fix = "Unset CAPI_FAILPOINT, and restart the workers and the web apps."
        yield Finding("problem", "settings", "CAPI_FAILPOINT is set: processes fail on purpose", fix)


def _of_broker(settings: Settings) -> Iterator[Finding]:
    where = place_of(settings.broker_url)
    options = {
        "socket_connect_timeout": _TIMEOUT_SECONDS,
        "socket_timeout": _TIMEOUT_SECONDS,
        **settings.broker_options,
    }
    try:
        with Connection(settings.broker_url, transport_options=options) as connection:
            connection.ensure_connection(max_retries=1, timeout=_TIMEOUT_SECONDS)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own, and their texts may hold the URL
        yield _of_broker_error(settings, where, error)
        return
    yield Finding("ok", "broker", f"{where} answers")
    yield from of_transport("broker", settings.broker_url)
    if not settings.embedded and server_of(settings.broker_url) == server_of(broker_url_of(settings.redis_url)):
        finding = "the event store and the broker are one server: full of events, it stops the broker too"
        yield Finding("warning", "broker", finding, "In production give CELERY_BROKER_URL a server of its own.")


def _of_broker_error(settings: Settings, where: str, error: Exception) -> Finding:
    """Tell a refused login from a server that is away: Celery's library hides what the transport said in the cause."""
    name = "CAPI_REDIS_URL" if settings.one_server else "CELERY_BROKER_URL"
    why = type(error.__cause__ or error).__name__
    if why == "AuthenticationError":
        return Finding("problem", "broker", f"{where} refuses the user or the password ({why})", fix_of_login(name))
    fix = "Start the server, or correct CELERY_BROKER_URL."
    return Finding("problem", "broker", f"{where} does not answer ({why})", fix)


def _of_datasets(found: list[Dataset], *, asked: bool) -> Iterator[Finding]:
    if not found:
        fix = "Name a datasets file in CAPI_DATASETS, or set CAPI_DATASET_ID and CAPI_ACCESS_TOKEN."
        yield Finding("warning", "datasets", "none is configured: events of every dataset wait", fix)
    fix = "Give it token, token_file or token_env, and see that it can be read; its events wait until then."
    for dataset in found:
        if not dataset.token:
            yield Finding("warning", f"dataset {dataset.dataset_id}", "has no access token", fix)
        elif not asked:
            yield Finding("ok", f"dataset {dataset.dataset_id}", "has an access token, which Meta was not asked about")
