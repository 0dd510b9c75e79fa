"""Planted personal data and tokens are searched for in everything that keeps or shows something."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from capi_relay import Overloaded, RelayError
from tests.fakes.events import bad_events, purchase
from tests.fakes.monitor import Monitor
from tests.fakes.relay import ROOT, Relay, wait_until
from tests.fakes.sentry import sentry_sink
from tests.fakes.server import EmbeddedServer, free_port
from tests.fakes.simulator import Simulator

TOKENS = {"111": "EAAplantedtokenone111", "222": "EAAplantedtokentwo222", "333": "EAAplantedtokenthree333"}
RAW = {
    "em": "planted.person@example.com",
    "ph": "+1 650 555 0199",
    "fn": "Plantedfirst",
    "ln": "Plantedlast",
    "ct": "Plantedcity",
    "db": "1971-03-29",
}
NORMAL = {**RAW, "ph": "16505550199", "fn": "plantedfirst", "ln": "plantedlast", "ct": "plantedcity", "db": "19710329"}
LOGIN = ("ann", "flower-password")

# Never anywhere: what a person or a token is.
SECRETS = [*RAW.values(), *NORMAL.values(), "6505550199", "planted", *TOKENS.values()]
# Nowhere but in the event store, where the digests are what is delivered.
DIGESTS = [hashlib.sha256(value.encode()).hexdigest() for value in NORMAL.values()]


@dataclass
class Site:
    relay: Relay
    sinks: dict[str, str] = field(default_factory=dict)
    """What each sink holds at the end; the event store apart."""
    store: str = ""


def personal(number: int, **changes: object) -> dict[str, Any]:
    """A purchase of the planted person, in as many wrong places as people put such things."""
    event = purchase(event_id=f"sinks-{number}")
    event["user_data"] = {**RAW, "client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla/5.0", "fbp": "x"}
    event["user_data"] |= {"nickname": "planted", "email": RAW["em"], "phone": RAW["ph"]}
    event["custom_data"] |= {"email": RAW["em"], "first_name": RAW["fn"]}
    event["event_source_url"] = f"https://shop.example/thanks?email={RAW['em']}"
    return event | {"email": RAW["em"]} | changes


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("s")
    with (
        Simulator(TOKENS) as meta,
        sentry_sink() as sentry,
        EmbeddedServer(folder / "broker") as broker,
        Monitor(broker.socket_path) as monitor,
        Relay(folder, meta.url, TOKENS, CELERY_BROKER_URL=f"redis+socket://{broker.socket_path}") as relay,
        running_flower(relay) as flower_url,
    ):
        relay.env["SENTRY_DSN"] = sentry.dsn
        found = Site(relay)
        _live(found, meta)
        found.sinks["sentry"] = "\n".join(sentry.texts)
        found.sinks["flower"] = _flower_says(flower_url)
        found.sinks["broker"] = monitor.text
        found.sinks["logs"] = relay.log.read_text()
        found.sinks["commands"] = _commands_say(relay)
        found.store = _everything_in(relay.server)
        yield found


def _live(site: Site, meta: Simulator) -> None:
    """Send the planted person through every way an event can go."""
    relay = site.relay
    meta.faults(
        [
            {"dataset": "111", "kind": "poison", "event_id_prefix": "sinks-13", "code": 100, "subcode": 2804099},
            {"dataset": "111", "kind": "reset_after", "times": 1},
            {"dataset": "111", "kind": "html", "times": 1},
            {"dataset": "222", "kind": "token_revoked"},
            {"dataset": "333", "kind": "code", "code": 200, "status": 403},
        ]
    )
    producer = relay.producer()
    said = []
    for dataset_id in TOKENS:
        outcomes = producer.enqueue_many([personal(number) for number in range(20)], dataset_id=dataset_id)
        said += [text for outcome in outcomes if not isinstance(outcome, RelayError) for text in outcome.warnings]
    producer.enqueue_many(list(bad_events().values()), dataset_id="111")
    said += [str(producer.enqueue_many([personal(0, event_time=RAW["em"])], dataset_id="111"))]
    relay.start_worker()
    wait_until(lambda: relay.status()["datasets"]["111"]["waiting"] == 0, "all that can leave has left", every=0.5)
    wait_until(lambda: len(meta.events("111")) >= 19, "the good ones are delivered", every=0.5)
    relay.server.kill()
    with pytest.raises(Overloaded) as refused:
        producer.enqueue(personal(99), dataset_id="111")
    said.append(repr(refused.value))
    wait_until(lambda: b"until the event store answers" in relay.log.read_bytes(), "the worker has noticed")
    relay.server.start()
    site.sinks["the producer's answers"] = "\n".join(said)


class running_flower:  # noqa: N801 - used like a function
    def __init__(self, relay: Relay) -> None:
        self._port = free_port()
        env = {**relay.env, "FLOWER_PORT": str(self._port), "FLOWER_BASIC_AUTH": ":".join(LOGIN)}
        self._log = (relay.folder / "flower.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "worker.app", "flower", "--conf=deploy/flowerconfig.py"],
            cwd=ROOT,
            env=env,
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> str:
        url = f"http://127.0.0.1:{self._port}"
        wait_until(lambda: _answers(url), "Flower answers", seconds=40)
        return url

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(url + "/healthcheck", timeout=2).ok
    except requests.ConnectionError:
        return False


def _flower_says(url: str) -> str:
    pages = ("/api/tasks", "/api/workers", "/tasks", "/workers", "/broker")
    return "\n".join(requests.get(url + page, auth=LOGIN, timeout=10).text for page in pages)


def _commands_say(relay: Relay) -> str:
    listed = relay.command("dead", "list", "--json").stdout
    words = (("status",), ("status", "--json"), ("dead", "list"), ("reconcile",), ("check", "--json"))
    outputs = [relay.command(*each, code=None) for each in words]
    return "\n".join([listed, *(done.stdout + done.stderr for done in outputs)])


def _everything_in(server: EmbeddedServer) -> str:
    """Return every file of the server: the AOF holds each command since the beginning."""
    server.stop()
    files = [Path(folder) / name for folder, _, names in os.walk(server.directory) for name in names]
    texts = [path.read_bytes().decode(errors="replace") for path in files if path.is_file()]
    server.start()
    return "\n".join(texts)


SINKS = ("sentry", "flower", "broker", "logs", "commands", "the producer's answers")


@pytest.mark.parametrize("sink", SINKS)
def test_no_sink_holds_a_person_or_a_token(site: Site, sink: str) -> None:
    assert site.sinks[sink].strip(), "a sink that heard nothing proves nothing"
    assert [secret for secret in [*SECRETS, *DIGESTS] if secret in site.sinks[sink]] == []


def test_the_event_store_holds_digests_and_no_person_and_no_token(site: Site) -> None:
    assert DIGESTS[0] in site.store
    assert [secret for secret in SECRETS if secret in site.store] == []


def test_flower_shows_tasks_with_summaries_a_person_can_read(site: Site) -> None:
    assert "capi.deliver" in site.sinks["flower"]
    assert "'delivered': " in site.sinks["flower"]


def test_no_celery_message_carries_an_argument(site: Site) -> None:
    assert "capi.deliver" in site.sinks["broker"]
    assert "sinks-" not in site.sinks["broker"]


def test_sentry_is_told_of_the_pauses(site: Site) -> None:
    assert "datasets paused, their events wait" in site.sinks["sentry"]
