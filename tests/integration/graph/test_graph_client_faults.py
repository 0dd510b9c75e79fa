"""Everything that can go wrong between us and Meta: surely not sent, in doubt, or an answer; and never too late."""

import errno
import gzip
import os
import socket
import threading
import traceback
from pathlib import Path

import pytest

from tests.integration.graph.servers import (
    OK,
    Behaviour,
    Serve,
    answers,
    answers_and_closes,
    drips,
    floods,
    in_turn,
    never_answers,
    resets,
    sips,
    within,
)
from worker.graph import MAX_ANSWER_BYTES, GraphClient, InDoubt, NotSent, Response, body_of
from worker.outcome import Transient, classify
from worker.tokens import AccessToken

TOKEN = AccessToken("EAABcanary|1")
BODY = body_of([b'{"event_name":"Purchase"}'])
BOMB = gzip.compress(b"\0" * 50_000_000)


def client_of(url: str, total_seconds: float = 5.0, connect_seconds: float = 3.0) -> GraphClient:
    return GraphClient(url=url, version="v23.0", total_seconds=total_seconds, connect_seconds=connect_seconds)


# --- nothing was sent


def test_a_refused_connection_was_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = client_of(f"http://127.0.0.1:{unused.getsockname()[1]}").post("123", TOKEN, BODY)

    assert answer == NotSent(f"ConnectionRefusedError: {os.strerror(errno.ECONNREFUSED)}")


def test_an_unknown_host_was_not_sent() -> None:
    answer = client_of("http://graph.facebook.invalid").post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)
    assert "could not be resolved" in answer.reason


def test_a_host_that_is_no_name_was_not_sent() -> None:
    answer = client_of("http://" + "a" * 70 + ".invalid").post("123", TOKEN, BODY)

    assert isinstance(answer, NotSent)


@pytest.mark.parametrize("finds_at_last", [True, False])
def test_a_dead_resolver_holds_nobody_beyond_the_deadline(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, *, finds_at_last: bool
) -> None:
    server = serve(answers())
    wakes_up = threading.Event()
    look_up = socket.getaddrinfo

    def hangs(*args: object, **options: object) -> object:
        wakes_up.wait(10)
        if not finds_at_last:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return look_up(*args, **options)  # type: ignore[arg-type]  # whatever the caller gave

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    with within(2):
        answer = client_of(server.url, total_seconds=0.3).post("123", TOKEN, BODY)
    wakes_up.set()

    assert answer == NotSent("no answer in time")
    for thread in threading.enumerate():
        if thread.name == "capi-connect":
            thread.join(5)
    assert server.seen == []


def test_a_host_that_takes_no_connections_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        queued = [_started_connection(address) for _ in range(4)]  # the kernel drops further ones without a word
        with within(3):
            answer = client_of(f"http://127.0.0.1:{address[1]}", connect_seconds=0.3).post("123", TOKEN, BODY)
        for connection in queued:
            connection.close()

    assert answer == NotSent("no answer in time")


def _started_connection(address: tuple[str, int]) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(0)
    connection.connect_ex(address)
    return connection


# --- nobody knows


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(never_answers, id="silence"),
        pytest.param(drips(b"", b"H"), id="status line"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), id="header"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: a\r\n"), id="headers"),
        pytest.param(drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="continue"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"a"), id="body"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"a"), id="body without length"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"), id="chunks"),
        pytest.param(drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"), id="chunk size"),
    ],
)
def test_the_deadline_is_for_the_whole_answer_however_it_drips(serve: Serve, behave: Behaviour) -> None:
    server = serve(behave)

    with within(1.5):
        answer = client_of(server.url, total_seconds=0.4).post("123", TOKEN, BODY)

    # 100 headers, and as many interim answers as the standard library bears, may end it before the deadline does
    assert isinstance(answer, InDoubt)


@pytest.mark.parametrize("behave", [never_answers, sips])
def test_a_server_that_hardly_reads_holds_nobody_beyond_the_deadline(serve: Serve, behave: Behaviour) -> None:
    server = serve(behave, reads=False)

    with within(1.5):
        answer = client_of(server.url, total_seconds=0.4).post("123", TOKEN, body_of([b"x" * 50_000] * 1000))

    assert answer == InDoubt("no answer in time")


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(resets(), id="reset after reading"),
        pytest.param(resets(b"HTTP/1.1 200 OK\r\nConte"), id="reset in the headers"),
        pytest.param(resets(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"), id="reset in the body"),
        pytest.param(answers_and_closes(b""), id="closed without an answer"),
        pytest.param(answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"), id="torn body"),
        pytest.param(
            answers_and_closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}"), id="torn chunk"
        ),
        pytest.param(
            answers_and_closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"), id="bad chunk"
        ),
        pytest.param(answers_and_closes(b"220 smtp.example ESMTP\r\n"), id="another protocol"),
        pytest.param(answers_and_closes(b"\x15\x03\x03\x00\x02\x02\x28"), id="TLS alert"),
        pytest.param(answers_and_closes(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n"), id="many headers"),
        pytest.param(
            answers_and_closes(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"), id="long header"
        ),
    ],
)
def test_what_breaks_after_sending_is_in_doubt(serve: Serve, behave: Behaviour) -> None:
    server = serve(behave)

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, InDoubt)
    assert server.connections == 1


def test_a_reset_before_reading_is_no_answer(serve: Serve) -> None:
    server = serve(resets(), reads=False)

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, InDoubt | NotSent)  # not sent where it came so early that the connect already failed


def test_the_next_post_after_a_broken_one_is_fine(serve: Serve) -> None:
    server = serve(in_turn(drips(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"), answers()))
    client = client_of(server.url, total_seconds=0.4)

    first, second = client.post("123", TOKEN, BODY), client.post("123", TOKEN, BODY)

    assert isinstance(first, InDoubt)
    assert isinstance(second, Response)


# --- too much


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65536),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["length", "no length", "chunks", "interim answers"],
)
def test_an_answer_over_1_mb_is_cut_off_and_in_doubt(serve: Serve, head: bytes, piece: bytes) -> None:
    server = serve(floods(head, piece))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert answer == InDoubt("the answer was longer than 1 MB")


def test_an_endless_chunk_size_is_in_doubt(serve: Serve) -> None:
    server = serve(floods(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 65536))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, InDoubt)


def test_an_answer_of_nearly_1_mb_is_taken(serve: Serve) -> None:
    body = b"x" * (MAX_ANSWER_BYTES - 1000)
    server = serve(answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, Response)
    assert answer.body == body


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /elsewhere"])
def test_a_gzip_bomb_is_not_unpacked(serve: Serve, status: bytes) -> None:
    head = b"HTTP/1.1 %s\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (status, len(BOMB))
    server = serve(answers(head + BOMB))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, Response)
    assert answer.body == BOMB


# --- answers that are none of Meta's


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 500 Error\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"events_received":',
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        OK.replace(b":1}", b":0}"),
        b"HTTP/1.1 200 OK\r\nConte",
    ],
)
def test_an_answer_that_is_no_success_is_never_taken_for_one(serve: Serve, response: bytes) -> None:
    server = serve(answers_and_closes(response))

    outcome = classify(client_of(server.url).post("123", TOKEN, BODY), 1)

    assert isinstance(outcome, Transient)
    assert outcome.in_doubt


# --- secrets and leaks


@pytest.mark.parametrize(
    "behave",
    [answers(), resets(), answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")],
    ids=["answer", "reset", "torn"],
)
def test_no_answer_shows_the_token(serve: Serve, behave: Behaviour) -> None:
    answer = client_of(serve(behave).url).post("123", TOKEN, BODY)

    assert "canary" not in repr(answer)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("a bug of ours")], ids=["memory", "bug"])
def test_what_is_not_the_networks_fault_comes_through_without_the_token_in_its_frames(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("worker.bounded_socket.BoundedSocket.sendall", fails)

    with pytest.raises(type(error)) as caught:
        client_of(serve(answers()).url).post("123", TOKEN, BODY)

    report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "in _exchange" in report
    assert "canary" not in report


def test_failures_leave_no_files_open(serve: Serve) -> None:
    open_files = Path("/proc/self/fd")
    if not open_files.exists():
        pytest.skip("this system has no /proc")
    broken = [serve(resets()), serve(answers_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"))]
    clients = [client_of(server.url) for server in broken]

    kinds = {type(client.post("123", TOKEN, BODY)) for client in clients * 10}

    ports = {server.server_address[1] for server in broken}
    assert kinds == {InDoubt}
    assert not any(_leads_to(link, ports) for link in open_files.iterdir())


def _leads_to(link: Path, ports: set[int]) -> bool:
    try:
        duplicate = socket.socket(fileno=os.dup(int(link.name)))
    except OSError:
        return False
    with duplicate:
        try:
            return duplicate.getpeername()[1] in ports
        except OSError:
            return False
