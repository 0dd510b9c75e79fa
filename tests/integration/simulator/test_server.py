"""The simulator as a process: tokens, datasets, encodings, the ledger and its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes.simulator import ROOT, Simulator

HASH = "855f96e983f1f8e8be944692b6f719fd54329826cb62e98015efee8e2e071dd4"


def event(event_id: str = "e-1", **changes: object) -> dict[str, Any]:
    return {
        "event_name": "Lead",
        "event_time": int(time.time()),
        "event_id": event_id,
        "action_source": "website",
        "user_data": {"em": [HASH]},
    } | changes


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator({"123": "good-token", "456": "other-token"}) as simulator:
        yield simulator


@pytest.fixture
def meta(shared: Simulator) -> Simulator:
    shared.clear()
    return shared


def post(
    meta: Simulator,
    *events: object,
    dataset: str = "123",
    token: str | None = "good-token",
    version: str = "v23.0",
    **more: object,
) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    url = f"{meta.url}/{version}/{dataset}/events"
    return requests.post(url, json={"data": events} | more, headers=headers, timeout=10)


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refusal(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


def test_a_taken_request_is_answered_as_meta_answers(meta: Simulator) -> None:
    answer = post(meta, event("a"), event("b"))

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"events_received": 2, "messages": [], "fbtrace_id": answer.json()["fbtrace_id"]}


def test_the_ledger_tells_what_was_taken(meta: Simulator) -> None:
    post(meta, event("a"), event("b"))
    post(meta, event("a"))
    post(meta, event("a"), event("c", event_time=1), event("d"))

    assert meta.ledger() == {
        "requests": 3,
        "accepted_requests": 2,
        "largest_request_events": 3,
        "refused": {"100/2804003": 1},
        "faults": {},
        "datasets": {"123": {"events": 3, "distinct": 2, "requests": 3}},
        "duplicates": 1,
    }


def test_one_invalid_event_keeps_all_others_out(meta: Simulator) -> None:
    answer = post(meta, event("a"), event("b", foo=1), event("c", event_time=1))

    assert refusal(answer) == (400, 100, 2804019)
    assert answer.json()["error"]["error_user_msg"] == 'Unexpected key "foo" on param "$[\'data\'][1]".'
    assert meta.events() == []


def test_each_accepted_event_is_told_with_its_token_fingerprint_and_settings(meta: Simulator) -> None:
    post(meta, event("a"), token="other-token", dataset="456", test_event_code="TEST1", partner_agent="agent-1.0")
    (line,) = meta.events("456", raw=True)

    assert line["token_fingerprint"] == "6c67163bbed9"
    assert (line["test_event_code"], line["partner_agent"]) == ("TEST1", "agent-1.0")
    assert line["event"]["user_data"] == {"em": [HASH]}
    assert abs(line["at"] - time.time()) < 60


@pytest.mark.parametrize("token", ["bad-token", "good token", "good-token\u00e9"])
def test_an_unknown_token_is_190(meta: Simulator, token: str) -> None:
    answer = requests.post(
        f"{meta.url}/v23.0/123/events", params={"access_token": token}, json={"data": []}, timeout=10
    )

    assert refusal(answer) == (401, 190, None)


def test_no_token_is_104(meta: Simulator) -> None:
    assert refusal(post(meta, event(), token=None)) == (400, 104, None)


def test_a_dataset_that_does_not_exist_is_100_33(meta: Simulator) -> None:
    answer = post(meta, event(), dataset="789")

    assert refusal(answer) == (400, 100, 33)
    assert answer.json()["error"]["type"] == "GraphMethodException"


def test_a_good_token_of_another_dataset_is_100_33(meta: Simulator) -> None:
    assert refusal(post(meta, event(), token="other-token")) == (400, 100, 33)


def test_the_token_is_judged_before_the_dataset_and_the_dataset_before_the_events(meta: Simulator) -> None:
    first = post(meta, "nonsense", dataset="789", token="bad-token")
    second = post(meta, "nonsense", dataset="789")

    assert [refusal(first)[1:], refusal(second)[1:]] == [(190, None), (100, 33)]


def test_a_dataset_id_that_is_no_number_is_803(meta: Simulator) -> None:
    assert refusal(post(meta, event(), dataset="my-shop")) == (404, 803, None)


@pytest.mark.parametrize("version", ["23.0", "v23", "latest"])
def test_a_malformed_version_is_2500(meta: Simulator, version: str) -> None:
    assert refusal(post(meta, event(), version=version)) == (400, 2500, None)


def test_an_unknown_path_is_2500(meta: Simulator) -> None:
    assert refusal(requests.post(f"{meta.url}/v23.0/123", timeout=10)) == (400, 2500, None)


def test_events_cannot_be_read_back(meta: Simulator) -> None:
    assert refusal(requests.get(f"{meta.url}/v23.0/123/events", timeout=10)) == (400, 100, 33)


@pytest.mark.parametrize(
    "request_parts",
    [
        {"headers": {"Authorization": "Bearer good-token"}},
        {"params": {"access_token": "good-token"}},
    ],
)
def test_the_token_may_stand_in_the_header_or_in_the_query(meta: Simulator, request_parts: dict[str, Any]) -> None:
    answer = requests.post(f"{meta.url}/v23.0/123/events", json={"data": [event()]}, timeout=10, **request_parts)

    assert answer.status_code == 200


def test_the_token_may_stand_in_the_body(meta: Simulator) -> None:
    assert post(meta, event(), token=None, access_token="good-token").status_code == 200


@pytest.mark.parametrize("encode_each", [False, True])
@pytest.mark.parametrize("how", ["data", "files"])
def test_the_events_may_come_in_a_form(meta: Simulator, how: str, *, encode_each: bool) -> None:
    events = [event("a"), event("b")]
    data = json.dumps([json.dumps(one) for one in events] if encode_each else events)
    form: Any = {"data": data, "access_token": "good-token"}
    if how == "files":
        form = {name: (None, text) for name, text in form.items()}
    answer = requests.post(f"{meta.url}/v23.0/123/events", timeout=10, **{how: form})

    assert answer.json()["events_received"] == 2
    assert [line["event_id"] for line in meta.events()] == ["a", "b"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"data": [NaN]}',
        b'{"data": [\xff]}',
        b'{"data": ' + b"[" * 100_000,
        json.dumps({"data": [event(custom_data={"x": "\ud800"})]}).encode(),
        json.dumps({"data": [event(custom_data={"x": "1e400"})]}).encode().replace(b'"1e400"', b"1e400"),
    ],
)
def test_what_is_no_json_with_data_is_100_without_a_subcode(meta: Simulator, body: bytes) -> None:
    headers = {"Authorization": "Bearer good-token", "Content-Type": "application/json"}
    answer = requests.post(f"{meta.url}/v23.0/123/events", data=body, headers=headers, timeout=10)

    assert refusal(answer) == (400, 100, None)
    assert meta.events() == []


@pytest.mark.parametrize("count", [0, 1001])
def test_a_request_without_events_or_with_too_many_is_refused(meta: Simulator, count: int) -> None:
    answer = post(meta, *[event(str(number)) for number in range(count)])

    assert refusal(answer) == (400, 100, 2804019)


def test_a_request_that_breaks_off_records_nothing(meta: Simulator) -> None:
    body = json.dumps({"data": [event()]}).encode()
    head = (
        f"POST /v23.0/123/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good-token\r\nContent-Length: {len(body)}"
    )
    host, port = meta.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body[: len(body) // 2])
    post(meta, event("after"))

    assert [line["event_id"] for line in meta.events()] == ["after"]


def test_health_says_that_it_is_up(meta: Simulator) -> None:
    assert requests.get(f"{meta.url}/_health", timeout=10).json() == {"status": "ok"}


def test_without_datasets_any_dataset_takes_any_well_formed_token() -> None:
    with Simulator() as meta:
        answers = [
            post(meta, event(), dataset="1", token="one"),
            post(meta, event(), dataset="2", token="an|other"),
            post(meta, event(), dataset="2", token="no,token"),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 401]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_while_an_answer_hangs(number: signal.Signals) -> None:
    with Simulator() as meta:
        meta.faults([{"kind": "hang", "seconds": 600}])
        with socket.create_connection(("127.0.0.1", int(meta.url.rpartition(":")[2]))) as connection:
            connection.sendall(b"POST /v23.0/1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            wait_until(lambda: meta.ledger()["faults"] == {"hang": 1})
            os.kill(meta.process.pid, number)
            code = meta.process.wait(10)

    assert code == 0


def test_a_ledger_file_survives_a_crash(tmp_path: Path) -> None:
    with Simulator(ledger_file=tmp_path / "ledger") as first:
        post(first, event("a"), event("b"))
        first.kill()
    with Simulator(ledger_file=tmp_path / "ledger") as second:
        post(second, event("a"))

        assert [line["event_id"] for line in second.events()] == ["a", "b", "a"]
        assert second.ledger()["duplicates"] == 1


def test_a_dataset_without_a_token_is_a_misuse() -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--dataset", "123"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "ID=TOKEN" in done.stderr


def test_a_dataset_named_twice_takes_both_tokens() -> None:
    with Simulator({"1": ["old", "new"]}) as meta:
        codes = [post(meta, event(), dataset="1", token=token).status_code for token in ("old", "new", "other")]

    assert codes == [200, 200, 401]
