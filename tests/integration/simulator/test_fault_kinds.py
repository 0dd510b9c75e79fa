"""Each fault as a client meets it, and what the ledger says of it afterwards."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.simulator import Simulator

HASH = "855f96e983f1f8e8be944692b6f719fd54329826cb62e98015efee8e2e071dd4"


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def meta(shared: Simulator) -> Simulator:
    shared.clear()
    shared.faults()
    return shared


def body_of(*event_ids: str) -> dict[str, Any]:
    base = {"event_name": "Lead", "event_time": int(time.time()), "action_source": "other", "user_data": {"em": HASH}}
    return {"data": [base | {"event_id": event_id} for event_id in event_ids]}


def post(meta: Simulator, *event_ids: str, token: str = "token", timeout: float = 10) -> requests.Response:
    return requests.post(
        f"{meta.url}/v23.0/123/events",
        json=body_of(*(event_ids or ("a",))),
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout,
        allow_redirects=False,
    )


def raw_answer(meta: Simulator) -> bytes:
    """Post one event over a bare socket and return every byte that came before the connection ended."""
    body = json.dumps(body_of("a")).encode()
    head = (
        f"POST /v23.0/123/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(meta.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def taken(meta: Simulator) -> list[str]:
    return [line["event_id"] for line in meta.events()]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "status_500"}, 500, 2),
        ({"kind": "status_500", "status": 502, "code": 1}, 502, 1),
        ({"kind": "code", "code": 21009}, 400, 21009),
        ({"kind": "code", "code": 100, "subcode": 33}, 400, 100),
        ({"kind": "code", "code": 4711, "status": 418, "is_transient": True}, 418, 4711),
        ({"kind": "token_revoked"}, 401, 190),
        ({"kind": "rate_limited"}, 403, 4),
        ({"kind": "rate_limited", "code": 80004}, 400, 80004),
        ({"kind": "poison", "event_id_prefix": "a"}, 400, 100),
        ({"kind": "poison", "event_id_prefix": "a", "subcode": 2804007}, 400, 100),
    ],
)
def test_a_refusing_fault_answers_with_its_graph_error_and_records_nothing(
    meta: Simulator, fault: dict[str, Any], status: int, code: int
) -> None:
    meta.faults([fault])
    answer = post(meta)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"].get("error_subcode") == (fault.get("subcode") or (2446079 if code == 80004 else None))
    assert taken(meta) == []


def test_a_fault_of_a_code_may_be_transient_and_is_counted_as_a_refusal(meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": 7, "subcode": 8, "is_transient": True}])
    answer = post(meta)

    assert answer.json()["error"]["is_transient"] is True
    assert meta.ledger()["refused"] == {"7/8": 1}
    assert meta.ledger()["faults"] == {"code": 1}


def test_a_rate_limit_tells_the_minutes_to_wait(meta: Simulator) -> None:
    meta.faults([{"kind": "rate_limited", "minutes": 19, "headers": {"Retry-After": "-5"}}])
    headers = post(meta).headers

    assert json.loads(headers["X-Business-Use-Case-Usage"])["123"][0]["estimated_time_to_regain_access"] == 19
    assert headers["Retry-After"] == "-5"


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "html"}, 503), ({"kind": "html", "status": 504}, 504), ({"kind": "html_200"}, 200)],
)
def test_an_html_page_may_come_with_any_status(meta: Simulator, fault: dict[str, Any], status: int) -> None:
    meta.faults([fault])
    answer = post(meta)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert taken(meta) == []


def test_an_empty_200_has_no_body(meta: Simulator) -> None:
    meta.faults([{"kind": "empty_200"}])
    answer = post(meta)

    assert (answer.status_code, answer.content, taken(meta)) == (200, b"", [])


def test_a_gzip_bomb_is_small_on_the_wire_and_large_behind_it(meta: Simulator) -> None:
    meta.faults([{"kind": "gzip_bomb", "bytes": 2_000_000}])
    answer = post(meta)

    assert int(answer.headers["Content-Length"]) < 10_000
    assert len(answer.content) == 2_000_000


def test_received_zero_takes_nothing_and_says_so(meta: Simulator) -> None:
    meta.faults([{"kind": "received_zero"}])

    assert post(meta).json()["events_received"] == 0
    assert taken(meta) == []


def test_received_short_takes_fewer_than_were_sent(meta: Simulator) -> None:
    meta.faults([{"kind": "received_short", "missing": 2}])

    assert post(meta, "a", "b", "c").json()["events_received"] == 1
    assert taken(meta) == ["a"]


def test_a_request_above_the_limit_is_too_large(meta: Simulator) -> None:
    meta.faults([{"kind": "too_large", "bytes": 1000}])
    answers = [post(meta, *map(str, range(count))) for count in (1, 10)]

    assert [answer.status_code for answer in answers] == [200, 413]
    assert taken(meta) == ["0"]


def test_a_redirect_points_elsewhere(meta: Simulator) -> None:
    meta.faults([{"kind": "redirect", "location": "http://localhost:1/elsewhere"}])
    answer = post(meta)

    assert (answer.status_code, answer.headers["Location"]) == (302, "http://localhost:1/elsewhere")
    assert taken(meta) == []


def test_poison_spares_requests_without_the_event(meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "event_id_prefix": "bad", "subcode": 2804007}])
    answers = [post(meta, "a", "bad-1"), post(meta, "b")]

    assert [answer.status_code for answer in answers] == [400, 200]
    assert "$[" not in answers[0].text


def test_a_revoked_token_can_be_replaced(meta: Simulator) -> None:
    post(meta, token="old")
    fingerprint = meta.events()[0]["token_fingerprint"]
    meta.faults([{"kind": "token_revoked", "token_fingerprint": fingerprint}])

    assert [post(meta, token=token).status_code for token in ("old", "new")] == [401, 200]


def test_a_slow_answer_comes_late_but_whole(meta: Simulator) -> None:
    meta.faults([{"kind": "slow", "seconds": 0.3}])
    started = time.monotonic()
    answer = post(meta)

    assert time.monotonic() - started >= 0.3
    assert answer.json()["events_received"] == 1


def test_what_a_slow_answer_took_stays_taken_when_the_client_gives_up(meta: Simulator) -> None:
    meta.faults([{"kind": "slow", "seconds": 2}])

    with pytest.raises(requests.ReadTimeout):
        post(meta, timeout=0.2)
    assert taken(meta) == ["a"]


def test_added_headers_come_with_an_ordinary_answer(meta: Simulator) -> None:
    meta.faults([{"kind": "headers", "headers": {"X-App-Usage": '{"call_count":99}'}}])
    answer = post(meta)

    assert answer.json()["events_received"] == 1
    assert answer.headers["X-App-Usage"] == '{"call_count":99}'


@pytest.mark.parametrize(("kind", "recorded"), [("reset_before", []), ("reset_after", ["a"])])
def test_a_reset_ends_the_connection_without_an_answer(meta: Simulator, kind: str, recorded: list[str]) -> None:
    meta.faults([{"kind": kind}])

    with pytest.raises(ConnectionResetError):
        raw_answer(meta)
    assert taken(meta) == recorded


def test_a_reset_reaches_a_client_that_is_still_sending(meta: Simulator) -> None:
    meta.faults([{"kind": "reset_before"}])

    with pytest.raises(requests.ConnectionError):
        post(meta, *(str(number) for number in range(20_000)))
    assert meta.ledger()["faults"] == {"reset_before": 1}


def test_a_torn_answer_promises_more_than_it_holds(meta: Simulator) -> None:
    meta.faults([{"kind": "torn"}])
    head, _, body = raw_answer(meta).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 0 < len(body) < int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert taken(meta) == ["a"]


def test_a_truncated_answer_is_whole_for_http_but_no_json(meta: Simulator) -> None:
    meta.faults([{"kind": "truncated_json"}])
    answer = post(meta)

    assert answer.text.startswith('{"events_received": 1')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert taken(meta) == ["a"]


def test_hang_answers_nothing_and_hangs_up_in_the_end(meta: Simulator) -> None:
    meta.faults([{"kind": "hang", "seconds": 0.3}])
    started = time.monotonic()

    assert raw_answer(meta) == b""
    assert time.monotonic() - started >= 0.3
    assert taken(meta) == []


def test_a_drip_comes_byte_by_byte_until_it_is_whole(meta: Simulator) -> None:
    meta.faults([{"kind": "drip", "seconds": 0.002}])
    started = time.monotonic()
    answer = post(meta)

    assert answer.json()["events_received"] == 1
    assert time.monotonic() - started >= 0.002 * (len(answer.content) + 20)


def test_a_drip_stops_when_the_client_has_gone(meta: Simulator) -> None:
    meta.faults([{"kind": "drip", "seconds": 0.05, "times": 1}])

    with pytest.raises(requests.RequestException):
        post(meta, timeout=0.01)
    assert post(meta, "b").status_code == 200


def test_faults_are_told_with_what_is_left_of_them(meta: Simulator) -> None:
    meta.faults([{"kind": "html", "dataset": "123", "times": 3}])
    post(meta)
    (fault,) = requests.get(f"{meta.url}/_faults", timeout=10).json()

    assert (fault["kind"], fault["dataset"], fault["times"], fault["fired"]) == ("html", "123", 2, 1)


@pytest.mark.parametrize("body", ["nonsense", '{"kind": "html"}', '[{"kind": "nonsense"}]'])
def test_faults_that_are_not_understood_are_refused(meta: Simulator, body: str) -> None:
    answer = requests.post(f"{meta.url}/_faults", data=body, timeout=10)

    assert (answer.status_code, list(answer.json())) == (400, ["problem"])
