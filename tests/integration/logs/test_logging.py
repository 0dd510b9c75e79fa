import json
import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest

CANARIES = (
    "jane.canary@example.com",
    "+1 (650) 555-0199",
    "EAAcanaryTOKEN123",
    sha256(b"canary").hexdigest(),
    "s3cretPassword",
)

# Every way in which this service and its libraries write log lines, each with something that must not be written.
SPEAKER = """
import logging, sys
import structlog
from worker.observability import configure_logging

mail, phone, token, digest, password = sys.argv[2:]
early = structlog.get_logger("worker.early")
configure_logging(sys.argv[1])
log, plain = structlog.get_logger("worker.relay"), logging.getLogger("worker.plain")
log.info("batch delivered", dataset_id="123456789012", events=3, name="clash", message="clash", args=[mail])
log.warning("reset by %s", mail, em=mail, user_data={"ph": phone}, deep={"list": [token, digest]})
plain.info("GET /v23.0/1/events?access_token=%s as %s", token, mail)
plain.info("forged\\n2026-01-01 [error] line \\x1b[31m red", extra={"lane": "1/0", "data": phone})
logging.getLogger("celery.app.trace").info("task %s done", "capi.tick", extra={"data": {"args": [mail]}})
logging.getLogger("celery.app.trace").error("task %s failed", "capi.tick", extra={"data": {"args": [mail]}})
logging.getLogger("kombu").error("cannot reach redis://:%s@store:6379/0", password)
try:
    hidden = mail
    raise ValueError(f"cannot take {mail}, {phone},\\n {token} {digest}")
except ValueError:
    log.exception("batch failed")
    plain.exception("batch failed again")
early.debug("not shown")
early.info("shown")
plain.info("wrong %d", mail)
"""


def spoken(log_format: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SPEAKER, log_format, *CANARIES],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.stderr


@pytest.fixture(scope="module")
def console() -> str:
    return spoken("console")


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in spoken("json").splitlines()]


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_and_no_person_reaches_the_log(console: str, lines: list[dict[str, Any]], canary: str) -> None:
    assert canary not in console
    assert canary not in json.dumps(lines)


def test_a_line_of_ours_has_its_fields_as_they_were_given(lines: list[dict[str, Any]]) -> None:
    line = lines[0] | {"timestamp": "now"}

    assert line == {
        "event": "batch delivered",
        "level": "info",
        "logger": "worker.relay",
        "timestamp": "now",
        "dataset_id": "123456789012",
        "events": 3,
        "name_": "clash",
        "message_": "clash",
        "args_": ["***"],
    }


def test_lines_of_libraries_look_the_same(lines: list[dict[str, Any]]) -> None:
    (line,) = (line for line in lines if line["logger"] == "celery.app.trace")

    assert line | {"timestamp": "now"} == {
        "event": "task capi.tick failed",
        "level": "error",
        "logger": "celery.app.trace",
        "timestamp": "now",
    }


def test_every_line_that_can_be_written_is_written(lines: list[dict[str, Any]]) -> None:
    assert [line["event"].split()[0] for line in lines] == [
        "batch",
        "reset",
        "GET",
        r"forged\n2026-01-01",
        "task",
        "cannot",
        "batch",
        "batch",
        "shown",
    ]


@pytest.mark.parametrize("event", ["batch failed", "batch failed again"])
def test_an_exception_has_its_traceback_without_variables(lines: list[dict[str, Any]], event: str) -> None:
    (line,) = (line for line in lines if line["event"] == event)

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: cannot take ***, ***,\n *** ***")
    assert "hidden" not in line["exception"]


def test_a_line_break_in_a_value_forges_no_line(console: str) -> None:
    forged = [line for line in console.splitlines() if "[error] line" in line]

    assert len(forged) == 1
    assert r"forged\n2026-01-01 [error] line \x1b[31m red" in forged[0]
    assert "\x1b" not in console


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    code = (
        "import os, sys, logging; from worker.observability import configure_logging;"
        "configure_logging('json'); os.close(2); logging.getLogger('x').error('lost');"
        "sys.stderr.close(); logging.getLogger('x').error('lost'); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert "still here" in done.stdout
