"""Real POSTs to servers on loopback: what comes back, and what goes out."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from capi_relay.errors import MisconfiguredError
from tests.integration.graph.servers import OK, Serve, answers, answers_and_closes, in_turn, never_answers, resets
from worker.graph import GraphClient, InDoubt, Response, body_of
from worker.tokens import AccessToken

TOKEN = AccessToken("EAABcanary|1")
BODY = body_of([b'{"event_name":"Purchase"}'])


def client_of(url: str, total_seconds: float = 5.0) -> GraphClient:
    return GraphClient(url=url, version="v23.0", total_seconds=total_seconds)


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_answer_comes_back_whole(serve: Serve) -> None:
    server = serve(answers(b"HTTP/1.1 400 Bad\r\nX-App-Usage: {}\r\nContent-Length: 5\r\n\r\n\xffbody"))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert answer == Response(400, {"x-app-usage": "{}", "content-length": "5"}, b"\xffbody")


def test_the_whole_request_is_what_we_mean_to_send(serve: Serve) -> None:
    server = serve(answers())

    client_of(server.url).post("123", TOKEN, BODY)

    head, _, body = server.seen[0].partition(b"\r\n\r\n")
    request_line, *headers = head.decode().split("\r\n")
    assert request_line == "POST /v23.0/123/events HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Accept: application/json",
        "Authorization: Bearer EAABcanary|1",
        f"Content-Length: {len(BODY)}",
        "Content-Type: application/json",
        f"Host: 127.0.0.1:{server.server_address[1]}",
        "User-Agent: capi-relay",
    ]
    assert body == b"".join(BODY)


def test_a_batch_is_the_events_bytes_joined_and_never_encoded_again() -> None:
    events = [b'{"value":1.10}', '{"name":"Zo\u00eb"}'.encode()]

    body = b"".join(body_of(events, test_event_code='T"1', partner_agent="capi-relay-1.0"))

    assert body.startswith(b'{"data":[{"value":1.10},{"name":"Zo\xc3\xab"}]')
    assert json.loads(body) == {
        "data": [{"value": 1.1}, {"name": "Zo\u00eb"}],
        "test_event_code": 'T"1',
        "partner_agent": "capi-relay-1.0",
    }


def test_a_batch_without_extras_holds_nothing_but_data() -> None:
    assert b"".join(body_of([b"{}"])) == b'{"data":[{}]}'


@pytest.mark.parametrize("dataset_id", ["", "../me", "12a", "1" * 33, "1\n", "\u0661", "1/2", "1?x=2"])
def test_a_dataset_id_that_is_no_number_is_refused(dataset_id: str) -> None:
    with pytest.raises(MisconfiguredError, match="dataset id"):
        client_of("http://127.0.0.1:1").post(dataset_id, TOKEN, BODY)


@pytest.mark.parametrize("version", ["", "23.0", "v23", "v23.0/..", "v23.0\n", "v\u0662.0"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(MisconfiguredError, match="v23"):
        GraphClient(url="http://127.0.0.1:1", version=version, total_seconds=1)


def test_a_large_batch_arrives_whole(serve: Serve) -> None:
    server = serve(answers())
    body = body_of([b'{"event_name":"' + b"x" * 1400 + b'"}'] * 1000)

    answer = client_of(server.url).post("123", TOKEN, body)

    assert isinstance(answer, Response)
    assert server.seen[0].endswith(b"".join(body))


def test_connections_are_kept_alive_for_the_next_post_of_a_thread(serve: Serve) -> None:
    server = serve(answers())
    client = client_of(server.url)

    for _ in range(5):
        assert isinstance(client.post("123", TOKEN, BODY), Response)

    assert (server.connections, len(server.seen)) == (1, 5)


def test_every_thread_has_a_connection_of_its_own(serve: Serve) -> None:
    server = serve(answers())
    client = client_of(server.url)
    together = threading.Barrier(4)

    def two_posts() -> None:
        together.wait(5)
        client.post("123", TOKEN, BODY)
        client.post("123", TOKEN, BODY)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(two_posts) for _ in range(4)]:
            done.result()

    assert (server.connections, len(server.seen)) == (4, 8)


def test_a_slow_dataset_does_not_hold_another_thread(serve: Serve) -> None:
    slow, quick = serve(never_answers), serve(answers())
    stuck = client_of(slow.url, total_seconds=30)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stuck.post, "123", TOKEN, BODY)
        answer = client_of(quick.url).post("456", TOKEN, BODY)

        assert isinstance(answer, Response)
        assert not waiting.done()
        slow.stopping.set()


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(serve: Serve) -> None:
    server = serve(answers_and_closes(OK))
    client = client_of(server.url)

    for _ in range(3):
        assert isinstance(client.post("123", TOKEN, BODY), Response)
        wait_until(lambda: server.closed == server.connections)

    assert server.connections == 3


def test_a_kept_connection_that_dies_under_a_post_is_in_doubt_and_not_tried_again(serve: Serve) -> None:
    server = serve(in_turn(answers(), resets()))
    client = client_of(server.url)
    client.post("123", TOKEN, BODY)

    answer = client.post("123", TOKEN, BODY)

    assert isinstance(answer, InDoubt)
    assert (server.connections, len(server.seen)) == (1, 2)


def test_a_connection_that_waited_too_long_is_not_used_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.graph._IDLE_SECONDS", -1.0)
    server = serve(answers())
    client = client_of(server.url)

    client.post("123", TOKEN, BODY)
    client.post("123", TOKEN, BODY)

    assert server.connections == 2


def test_a_closed_client_opens_again_when_it_is_used(serve: Serve) -> None:
    server = serve(answers())
    client = client_of(server.url)
    client.post("123", TOKEN, BODY)

    client.close()
    answer = client.post("123", TOKEN, BODY)

    assert isinstance(answer, Response)
    assert server.connections == 2


FORKS = """
import os, sys
from worker.graph import GraphClient, Response
from worker.tokens import AccessToken

client = GraphClient(url=sys.argv[1], version="v23.0", total_seconds=5)
post = lambda: isinstance(client.post("123", AccessToken("abc"), b"{}"), Response)
assert post()
child = os.fork()
if child == 0:
    os._exit(0 if post() else 1)
assert os.waitpid(child, 0)[1] == 0
assert post()
"""


def test_a_forked_child_opens_a_connection_of_its_own(serve: Serve) -> None:
    server = serve(answers())

    subprocess.run([sys.executable, "-c", FORKS, server.url], check=True, timeout=30)

    assert (server.connections, len(server.seen)) == (2, 3)


def test_cookies_are_not_kept(serve: Serve) -> None:
    server = serve(answers(OK.replace(b"\r\n", b"\r\nSet-Cookie: tenant=1; Path=/\r\n", 1)))
    client = client_of(server.url)

    client.post("123", TOKEN, BODY)
    client.post("123", TOKEN, BODY)

    assert not any(b"ookie" in request for request in server.seen)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve, status: int) -> None:
    evil = serve(answers())
    redirect = f"HTTP/1.1 {status} Moved\r\nLocation: {evil.url}/v23.0/123/events\r\nContent-Length: 0\r\n\r\n"
    server = serve(answers(redirect.encode()))

    answer = client_of(server.url).post("123", TOKEN, BODY)

    assert isinstance(answer, Response)
    assert answer.status == status
    assert evil.connections == 0


def test_posts_leave_no_threads_behind(serve: Serve) -> None:
    server = serve(answers())
    client = client_of(server.url)
    client.post("123", TOKEN, BODY)
    before = threading.active_count()

    for _ in range(20):
        client.post("123", TOKEN, BODY)

    assert threading.active_count() <= before


def test_a_token_stands_in_no_url(serve: Serve) -> None:
    server = serve(answers())

    client_of(server.url).post("123", TOKEN, BODY)

    request_line = server.seen[0].partition(b"\r\n")[0]
    assert not re.search(rb"EAAB|canary|access_token", request_line)
