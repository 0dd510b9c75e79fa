"""What ``check`` asks Meta's endpoint: a TLS handshake, and one event a token that must be refused."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import certifi

from worker.body import body_of
from worker.bounded_socket import tls_context
from worker.datasets import Dataset
from worker.doctor.finding import Finding
from worker.doctor.graph import of_probe
from worker.graph import GraphClient
from worker.outcome import classify
from worker.settings import Settings

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_AT_ONCE = 8
_TOO_OLD_SECONDS = 70 * 24 * 3600  # beyond every age that Meta takes, physical_store included


def probe_event(now_seconds: float) -> bytes:
    """Return an event that Meta must refuse twice over: it has no name, and is too old. It is no conversion."""
    return json.dumps(
        {"event_time": int(now_seconds) - _TOO_OLD_SECONDS, "action_source": "system_generated", "user_data": {}}
    ).encode()


def of_tls(url: str) -> Finding:
    """Shake hands with the endpoint as a worker would; plain http needs none."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if parts.scheme != "https":
        return Finding("ok", "TLS", f"{host} is reached by plain http")
    context = tls_context(certifi.where())
    try:
        with (
            socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            until = (connection.getpeercert() or {}).get("notAfter", "?")
            return Finding("ok", "TLS", f"{host}: {connection.version()}, certificate valid until {until}")
    except OSError as error:
        reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
        fix = "See that this machine resolves, reaches and trusts the host: name server, firewall, proxy, clock."
        return Finding("problem", "TLS", f"no connection to {host}:{port} that can be trusted: {reason}", fix)


def of_tokens(settings: Settings, datasets: Sequence[Dataset]) -> Iterator[Finding]:
    """Ask with each dataset's token, a few at a time; findings come in the order of the datasets."""
    seconds = min(settings.http_total_seconds, _ANSWER_SECONDS)
    client = GraphClient(url=settings.graph_url, version=settings.graph_version, total_seconds=seconds)

    def ask(dataset: Dataset) -> Finding:
        assert dataset.token is not None  # noqa: S101 - chosen so
        body = body_of([probe_event(time.time())], partner_agent=dataset.partner_agent)
        return of_probe(dataset.dataset_id, classify(client.post(dataset.dataset_id, dataset.token, body), 1))

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(ask, (dataset for dataset in datasets if dataset.token))
    finally:
        client.close()
