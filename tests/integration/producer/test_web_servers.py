"""A producer in the web servers that people run: gunicorn that preloads the app, its kinds of workers, and gevent."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.fakes.relay import wait_until
from tests.fakes.server import EmbeddedServer, free_port
from tests.integration.producer.stored import Stored

ROOT = Path(__file__).resolve().parents[3]
APP = "tests.integration.producer.wsgi_shop:app"
REQUESTS = 60
GREENLETS, EVENTS = 50, 20
STOP_SECONDS = 30


class Gunicorn:
    """Gunicorn with two workers that share a preloaded app."""

    def __init__(self, store_url: str, worker_class: str, log: Path) -> None:
        self.url, self.log = f"http://127.0.0.1:{free_port()}", log
        options = ["--preload", "--workers", "2", "--worker-class", worker_class, "--no-control-socket"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, "--bind", self.url.removeprefix("http://"), APP],
                cwd=ROOT,
                env={**os.environ, "CAPI_REDIS_URL": store_url},
                stdout=file,
                stderr=file,
            )

    def ask(self, path: str) -> str:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.url}/{path}", headers={"Connection": "close"}, timeout=30).text

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.ask("first").startswith("accepted")
        except requests.ConnectionError:
            return False

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self.process.kill()


@pytest.fixture(params=["sync", "gthread", "gevent"])
def gunicorn(request: pytest.FixtureRequest, event_store: EmbeddedServer, tmp_path: Path) -> Iterator[Gunicorn]:
    server = Gunicorn(event_store.url, request.param, tmp_path / "gunicorn.log")
    try:
        yield server
    finally:
        server.stop()


def test_a_preloaded_producer_serves_every_worker_of_gunicorn(gunicorn: Gunicorn, stored: Stored) -> None:
    wait_until(gunicorn.answers, "gunicorn answers")
    answers: list[str] = []

    def both_were_asked() -> bool:
        paths = (f"order-{number}" for number in range(len(answers), len(answers) + REQUESTS))
        answers.extend(browsers.map(gunicorn.ask, paths))
        return len({answer.split()[1] for answer in answers}) == 2

    with ThreadPoolExecutor(8) as browsers:
        wait_until(both_were_asked, "both workers were asked")
    code = gunicorn.stop()

    assert {answer.split()[0] for answer in answers} == {"accepted"}, gunicorn.log.read_text()
    assert sorted(stored.ids()) == sorted(["preloaded", "first", *(f"order-{n}" for n in range(len(answers)))])
    assert code == 0


def test_a_program_that_gevent_has_patched_goes_on_while_a_call_waits(own_store: EmbeddedServer) -> None:
    words = [own_store.url, *map(str, (own_store.pid, GREENLETS, EVENTS))]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.producer.gevent_program", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 5
    with closing(Stored(own_store.url)) as stored:
        assert len({each for each in stored.ids() if each.startswith("greenlet-")}) == GREENLETS * EVENTS
