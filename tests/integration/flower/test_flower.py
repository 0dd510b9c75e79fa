import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.fakes.server import EmbeddedServer, free_port

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "celery", "-A", "worker.app", "flower", "--conf=deploy/flowerconfig.py"]
USER, PASSWORD = "ann", "s3cret:word"
DEADLINE_SECONDS = 30
# What a worker tells about a task, told by nobody's worker.
TELL = """
from worker.app import app
with app.events.default_dispatcher() as tell:
    tell.send("task-received", uuid="id-1", name="capi.tick", args="()", kwargs="{}")
    tell.send("task-succeeded", uuid="id-1", result="{'hints': 1}", runtime=0.1)
"""


@dataclass(frozen=True)
class Flower:
    url: str
    process: subprocess.Popen[bytes]
    env: dict[str, str]

    def answer(self, path: str, password: str | None = PASSWORD, method: str = "GET") -> requests.Response:
        login = None if password is None else (USER, password)
        return requests.request(method, self.url + path, auth=login, timeout=10)


def environment(**changes: str) -> dict[str, str]:
    """This environment, with nothing of Flower's and ours in it but the changes."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("FLOWER_", "CAPI_", "CELERY_"))}
    return kept | changes


@contextmanager
def running_flower(directory: Path) -> Iterator[Flower]:
    port = free_port()
    with EmbeddedServer(directory) as store:
        env = environment(CAPI_REDIS_URL=store.url, FLOWER_PORT=str(port), FLOWER_BASIC_AUTH=f"{USER}:{PASSWORD}")
        with subprocess.Popen(COMMAND, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
            flower = Flower(f"http://127.0.0.1:{port}", process, env)
            try:
                wait_until_it_answers(flower)
                yield flower
            finally:
                process.kill()


def wait_until_it_answers(flower: Flower) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and flower.process.poll() is None:
        try:
            flower.answer("/healthcheck")
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("Flower did not start")


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    with running_flower(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/api/queues/length"]
)
@pytest.mark.parametrize("password", [None, "wrong", "s3cret"])
def test_without_the_password_nothing_is_shown(flower: Flower, path: str, password: str | None) -> None:
    assert flower.answer(path, password).status_code == 401


@pytest.mark.parametrize("path", ["/api/task/async-apply/capi.tick", "/api/worker/shutdown/celery@here"])
def test_without_the_password_nothing_is_done(flower: Flower, path: str) -> None:
    assert flower.answer(path, None, method="POST").status_code == 401


@pytest.mark.parametrize("path", ["/workers", "/tasks", "/broker"])
def test_with_the_password_the_pages_are_shown(flower: Flower, path: str) -> None:
    assert flower.answer(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/task/async-apply/capi.tick", "/api/worker/shutdown/celery@here"])
def test_even_with_the_password_nothing_is_done(flower: Flower, path: str) -> None:
    assert flower.answer(path, method="POST").status_code == 403


def test_the_page_of_tasks_has_no_column_for_arguments(flower: Flower) -> None:
    page = flower.answer("/tasks").text

    assert "runtime" in page
    assert "kwargs" not in page


def test_it_shows_what_the_workers_tell(flower: Flower) -> None:
    subprocess.run([sys.executable, "-c", TELL], cwd=ROOT, env=flower.env, check=True, timeout=60)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (tasks := flower.answer("/api/tasks").json()) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [(task["name"], task["state"], task["result"]) for task in tasks.values()] == [
        ("capi.tick", "SUCCESS", "{'hints': 1}")
    ]


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with running_flower(tmp_path) as flower:
        flower.process.terminate()

        assert flower.process.wait(DEADLINE_SECONDS) == 0


@pytest.mark.parametrize(
    "login", [{}, {"FLOWER_BASIC_AUTH": "ann"}, {"FLOWER_BASIC_AUTH": ":s3cret"}, {"FLOWER_BASIC_AUTH": "änn:s3cret"}]
)
def test_without_a_user_and_a_password_it_does_not_start(login: dict[str, str]) -> None:
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(**login), capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert "Flower cannot start: set FLOWER_BASIC_AUTH to user:password" in done.stderr
    assert "s3cret" not in done.stderr


def test_the_password_may_stand_in_a_file_that_must_exist(tmp_path: Path) -> None:
    env = environment(FLOWER_BASIC_AUTH_FILE=str(tmp_path / "absent"))
    done = subprocess.run(COMMAND, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert "FLOWER_BASIC_AUTH_FILE: " in done.stderr
