"""TLS, and an environment that would like to have a say: proxies, certificate bundles, .netrc."""

import ssl
from pathlib import Path

import pytest

from tests.integration.graph.servers import Certificates, Serve, answers, drips, never_answers, sips, within
from worker.graph import GraphClient, InDoubt, NotSent, Response, body_of
from worker.tokens import AccessToken

TOKEN = AccessToken("EAABcanary|1")
BODY = body_of([b'{"event_name":"Purchase"}'])
LOOPBACK = "IP:127.0.0.1"


def client_of(url: str, total_seconds: float = 5.0, ca_file: str | None = None) -> GraphClient:
    return GraphClient(url=url, version="v23.0", total_seconds=total_seconds, ca_file=ca_file)


def test_tls_with_a_trusted_certificate_delivers_and_is_kept_alive(serve: Serve, certificates: Certificates) -> None:
    server = serve(answers(), tls=certificates.server_context(LOOPBACK))
    client = client_of(server.url, ca_file=certificates.ca_file)
    body = body_of([b'{"event_name":"' + b"x" * 1400 + b'"}'] * 1000)

    kinds = {type(client.post("123", TOKEN, body)) for _ in range(3)}

    assert kinds == {Response}
    assert (server.connections, len(server.seen)) == (1, 3)


@pytest.mark.parametrize(
    ("host", "days", "word"),
    [("DNS:graph.facebook.com", 2, "not valid for '127.0.0.1'"), (LOOPBACK, -1, "expired")],
    ids=["another host", "expired"],
)
def test_a_wrong_certificate_stops_before_anything_is_sent(
    serve: Serve, certificates: Certificates, host: str, days: int, word: str
) -> None:
    server = serve(answers(), tls=certificates.server_context(host, days))

    answer = client_of(server.url, ca_file=certificates.ca_file).post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)
    assert word in answer.reason
    assert server.seen == []


def test_a_certificate_of_an_unknown_authority_is_refused_whatever_the_environment_names(
    serve: Serve, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, certificates.ca_file)
    server = serve(answers(), tls=certificates.server_context(LOOPBACK))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)
    assert "certificate was refused" in answer.reason
    assert server.seen == []


def test_an_old_tls_version_is_refused(serve: Serve, certificates: Certificates) -> None:
    context = certificates.server_context(LOOPBACK)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    answer = client_of(serve(answers(), tls=context).url, ca_file=certificates.ca_file).post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)


def test_a_tls_handshake_that_never_ends_was_not_sent(serve: Serve) -> None:
    silent = serve(never_answers, reads=False)
    dripping = serve(drips(b"\x16\x03\x03\x40\x00", b"\x02"), reads=False)

    for server in (silent, dripping):
        with within(1.5):
            answer = client_of(server.url.replace("http", "https"), total_seconds=0.4).post("123", TOKEN, BODY)

        assert answer == NotSent("no answer in time")


def test_a_drip_inside_tls_keeps_to_the_deadline(serve: Serve, certificates: Certificates) -> None:
    server = serve(drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), tls=certificates.server_context(LOOPBACK))

    answer = client_of(server.url, total_seconds=0.5, ca_file=certificates.ca_file).post("123", TOKEN, BODY)

    assert answer == InDoubt("no answer in time")


def test_a_server_that_hardly_reads_inside_tls_keeps_to_the_deadline(serve: Serve, certificates: Certificates) -> None:
    server = serve(sips, tls=certificates.server_context(LOOPBACK), reads=False)
    client = client_of(server.url, total_seconds=0.5, ca_file=certificates.ca_file)

    with within(2):
        answer = client.post("123", TOKEN, body_of([b"x" * 50_000] * 1000))

    assert answer == InDoubt("no answer in time")


def test_a_plain_server_behind_https_was_not_sent(serve: Serve) -> None:
    server = serve(answers(), reads=False)

    answer = client_of(server.url.replace("http", "https")).post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)


def test_a_proxy_of_the_environment_is_ignored(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, server = serve(answers()), serve(answers())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, Response)
    assert (proxy.connections, server.connections) == (0, 1)


def test_credentials_of_a_netrc_do_not_replace_the_token(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(answers())

    client_of(server.url).post("123", TOKEN, BODY)

    assert b"Authorization: Bearer EAABcanary|1\r\n" in server.seen[0]
