"""The users of docs/deployment.md on a real server: what must work works, what must not is denied."""

import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from capi_relay import Producer
from tests.fakes import events
from tests.fakes.redis_server import RedisServer
from tests.fakes.relay import ROOT, Relay, wait_until
from tests.fakes.simulator import Simulator
from worker.store import Store

DATASET = "9001"
USERS = ("capi-producer", "capi-worker", "capi-broker")


def rules() -> dict[str, list[str]]:
    """Return what the page says, by user."""
    page = (ROOT / "docs" / "deployment.md").read_text()
    found = re.findall(r"^ {4}(ACL SETUSER (?:[^\n\\]|\\\n)*)$", page, re.MULTILINE)
    lines = [shlex.split(text.replace("\\\n", " ")) for text in found]
    return {words[2]: words[3:] for words in lines}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("users"), "maxmemory 100mb") as server:
        with redis.Redis.from_url(server.url) as admin:
            for user, words in rules().items():
                admin.execute_command("ACL", "SETUSER", user, *words)
        yield server


@pytest.fixture(autouse=True)
def empty(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as admin:
        admin.flushall()
        admin.execute_command("SCRIPT", "FLUSH")
        admin.execute_command("ACL", "LOG", "RESET")


def url_for(server: RedisServer, user: str) -> str:
    return f"redis://{user}:PASSWORD@127.0.0.1:{server.port}/0"


def test_the_page_has_a_user_for_each_role() -> None:
    assert set(rules()) == set(USERS)


def test_a_producer_stores_events(server: RedisServer) -> None:
    with closing(Producer(url_for(server, "capi-producer"), deadline_seconds=5)) as producer:
        receipts = producer.enqueue_many([events.lead(f"e-{n}") for n in range(3)], dataset_id=DATASET)
    with closing(Store(server.url)) as store:
        stored = store.admin.counts(DATASET).stored

    assert [getattr(receipt, "status", receipt) for receipt in receipts] == ["accepted"] * 3
    assert stored == 3


# The second words are of a command in a script.
DENIED = r"no permissions|can't access|can't run"
STREAM = "capi1:{s0}:q:9001/0"


@pytest.mark.parametrize(
    "words",
    [
        ("XRANGE", STREAM, "-", "+"),
        ("XREAD", "STREAMS", STREAM, "0"),
        ("XDEL", STREAM, "1-1"),
        ("EVAL", f"return redis.call('XRANGE', '{STREAM}', '-', '+')", "0"),
        ("DEL", STREAM),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("SET", "other:app", "1"),
        ("GET", "capi-celery:capi"),
        ("ACL", "LIST"),
        ("SCRIPT", "FLUSH"),
        ("MONITOR",),
        ("SUBSCRIBE", "any"),
    ],
    ids=" ".join,
)
def test_a_producer_may_do_nothing_else(server: RedisServer, words: tuple[str, ...]) -> None:
    with (
        redis.Redis.from_url(url_for(server, "capi-producer")) as client,
        pytest.raises(redis.ResponseError, match=DENIED),
    ):
        client.execute_command(*words)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("capi-worker", ("FLUSHALL",)),
        ("capi-worker", ("KEYS", "*")),
        ("capi-worker", ("CONFIG", "SET", "maxmemory", "1")),
        ("capi-worker", ("GET", "other:app")),
        ("capi-worker", ("DEL", "capi-celery:capi")),
        ("capi-worker", ("EVAL", "return redis.call('GET', 'other:app')", "0")),
        ("capi-worker", ("SCRIPT", "FLUSH")),
        ("capi-worker", ("ACL", "LIST")),
        ("capi-worker", ("SHUTDOWN",)),
        ("capi-broker", ("XLEN", STREAM)),
        ("capi-broker", ("EVAL", "return 1", "0")),
        ("capi-broker", ("FLUSHALL",)),
        ("capi-broker", ("KEYS", "*")),
        ("capi-broker", ("CONFIG", "GET", "*")),
    ],
    ids=str,
)
def test_a_worker_and_its_broker_reach_nothing_of_others(
    server: RedisServer, user: str, words: tuple[str, ...]
) -> None:
    with redis.Redis.from_url(url_for(server, user)) as client, pytest.raises(redis.ResponseError, match=DENIED):
        client.execute_command(*words)


def test_a_worker_with_these_users_delivers_and_is_denied_nothing(server: RedisServer, tmp_path: Path) -> None:
    tokens = {DATASET: "token-a"}
    with Simulator(tokens) as meta, Relay(tmp_path, meta.url, tokens) as relay:
        relay.env["CAPI_REDIS_URL"] = url_for(server, "capi-worker")
        relay.env["CELERY_BROKER_URL"] = url_for(server, "capi-broker")
        relay.start_worker()
        relay.start_beat()
        with closing(Producer(url_for(server, "capi-producer"), linger_seconds=0, deadline_seconds=5)) as producer:
            producer.enqueue(events.lead("good"), dataset_id=DATASET)
            producer.enqueue(events.lead("bad") | {"shop": "north"}, dataset_id=DATASET)
        wait_until(lambda: relay.status()["totals"]["waiting"] == 0 and len(meta.events()) == 1, "both have left")
        for words in (
            ("status",),
            ("reconcile",),
            ("dead", "list"),
            ("dead", "replay", "--dataset", DATASET),
            ("pause", DATASET),
            ("resume", DATASET),
            ("dead", "purge", "--dataset", DATASET, "--yes"),
            ("check", "--offline"),
        ):
            relay.command(*words, code=0)
        with redis.Redis.from_url(server.url) as admin:
            denied = {(entry["username"], entry["object"]) for entry in admin.acl_log()}

    assert denied == {("capi-producer", "info")}  # it asks for the server's limit, and does without
    assert "NOPERM" not in relay.log.read_text()
