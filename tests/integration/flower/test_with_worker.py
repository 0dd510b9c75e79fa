"""What a real worker shows in a real Flower: tasks with names and summaries, workers that live or do not, no person."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes.events import bad_events, purchase
from tests.fakes.relay import ROOT, Relay, wait_until
from tests.fakes.server import free_port
from tests.fakes.simulator import Simulator

LOGIN = ("ann", "s3cret")
TOKENS = {"111": "EAAcanaryTOKEN111"}
MAIL = "jane.canary@example.com"
COMMAND = [sys.executable, "-m", "celery", "-A", "worker.app", "flower", "--conf=deploy/flowerconfig.py"]


@dataclass(frozen=True)
class Shown:
    """A relay that has delivered, and its Flower."""

    url: str
    relay: Relay
    worker: subprocess.Popen[bytes]
    log: Path

    def json(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return requests.get(self.url + path, auth=LOGIN, timeout=10).json()

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the deliveries that found something, as Flower's API shows them."""
        tasks = self.json("/api/tasks?taskname=capi.deliver&state=SUCCESS&limit=1000").values()
        return [task for task in tasks if "'delivered': " in (task["result"] or "")]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    port, log = free_port(), tmp_path_factory.mktemp("log") / "flower.log"
    with (
        log.open("wb") as file,
        Simulator(TOKENS) as meta,
        Relay(tmp_path_factory.mktemp("flower"), meta.url, TOKENS) as relay,
        subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env={**relay.env, "FLOWER_PORT": str(port), "FLOWER_BASIC_AUTH": ":".join(LOGIN)},
            stderr=file,
        ) as process,
    ):
        found = Shown(f"http://127.0.0.1:{port}", relay, relay.start_worker(), log)
        try:
            wait_until(lambda: answers(found.url), "Flower answers")
            # The heartbeat may be the first to deliver, and is no task.
            for number in range(20):
                deliver(relay, number)
                wait_for_events(meta, 3 * (number + 1))
                if found.deliveries():
                    break
            yield found
        finally:
            process.kill()


def deliver(relay: Relay, number: int) -> None:
    producer = relay.producer()
    for part in range(3):
        producer.enqueue(purchase(f"{number}-{part}", user_data={"em": MAIL}), dataset_id="111")
    producer.enqueue_many(list(bad_events().values())[:1], dataset_id="111")
    producer.close()


def wait_for_events(meta: Simulator, events: int) -> None:
    wait_until(lambda: len(meta.events()) >= events, "Meta has the events")


def answers(url: str) -> bool:
    try:
        return requests.get(url + "/healthcheck", timeout=2).ok
    except requests.ConnectionError:
        return False


def test_a_delivery_is_a_task_whose_result_says_what_was_done(shown: Shown) -> None:
    wait_until(lambda: bool(shown.deliveries()), "Flower shows a delivery")
    task = shown.deliveries()[0]
    summary = json.loads(task["result"].replace("'", '"'))

    assert task["name"] == "capi.deliver"
    assert {"lanes", "requests", "delivered", "seconds"} <= set(summary)
    assert summary["delivered"] >= 1
    assert task["runtime"] >= 0
    assert task["worker"].endswith("@test")


def test_no_argument_no_person_and_no_token_is_shown_of_any_task(shown: Shown) -> None:
    tasks = shown.json("/api/tasks?limit=1000")
    pages = [f"/task/{uuid}" for uuid in tasks] + ["/tasks", "/workers", "/broker"]
    texts = [requests.get(shown.url + page, auth=LOGIN, timeout=10).text for page in pages]

    assert {(task["args"], task["kwargs"]) for task in tasks.values()} == {("()", "{}")}
    assert {task["name"] for task in tasks.values()} <= {"capi.deliver", "capi.tick", "capi.sweep"}
    assert [text for text in [*texts, json.dumps(tasks)] if "canary" in text] == []


def test_a_worker_that_takes_no_remote_control_fills_no_log_with_failures(shown: Shown) -> None:
    asked = requests.get(shown.url + "/api/workers?refresh=1", auth=LOGIN, timeout=30)

    assert asked.ok
    assert "Connected to" in shown.log.read_text()
    assert "Inspect method" not in shown.log.read_text()


def test_a_worker_that_is_told_to_leave_answers_nothing_and_stays(shown: Shown) -> None:
    name = next(iter(shown.json("/api/workers?status=true")))
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "worker.app", "control", "--timeout", "1", "shutdown"],
        cwd=ROOT,
        env=shown.relay.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "No nodes replied" in done.stdout + done.stderr
    assert shown.worker.poll() is None
    assert shown.json("/api/workers?status=true") == {name: True}


def test_the_page_of_workers_says_who_lives_and_who_left(shown: Shown) -> None:
    def workers() -> list[tuple[bool, bool]]:
        return [(each["status"], bool(each["processed"])) for each in shown.json("/workers?json=1")["data"]]

    wait_until(lambda: workers() == [(True, True)], "the worker lives, and has processed tasks")
    shown.worker.terminate()
    shown.worker.wait(60)

    wait_until(lambda: [alive for alive, _ in workers()] == [False], "the worker has left")
    killed = shown.relay.start_worker()
    wait_until(lambda: sorted(alive for alive, _ in workers()) == [False, True], "another has come")
    killed.kill()

    wait_until(lambda: [alive for alive, _ in workers()] == [False, False], "it is missed", seconds=20)
