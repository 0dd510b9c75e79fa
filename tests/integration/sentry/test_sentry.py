import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tests.fakes.sentry import SentrySink, sentry_sink
from worker.embedded import EmbeddedServer
from worker.reports import clean

CANARIES = (
    "jane.canary@example.com",
    "+1 (650) 555-0199",
    "EAAcanaryTOKEN123",
    sha256(b"canary").hexdigest(),
    "s3cretPassword",
)
ROOT = Path(__file__).parents[3]
VOLATILE = {
    "event_id",
    "timestamp",
    "trace_id",
    "span_id",
    "lineno",
    "abs_path",
    "server_name",
    "url",
    "runtime",
    "version",
}


@dataclass(frozen=True)
class Run:
    sink: SentrySink
    log: str
    sent_headers: list[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    program = Path(__file__).with_name("leaky_program.py")
    with EmbeddedServer(tmp_path_factory.mktemp("store")) as store, sentry_sink() as sink:
        done = subprocess.run(
            [sys.executable, "-W", "error", program, sink.dsn, store.url, *CANARIES],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "SENTRY_RELEASE": "1", "SENTRY_SPOTLIGHT": "1"},
        )
        yield Run(sink, done.stderr, json.loads(done.stdout))


def steady(value: object) -> object:
    """Replace what differs from run to run and from machine to machine."""
    if isinstance(value, dict):
        return {key: "*" if key in VOLATILE else steady(entry) for key, entry in value.items()}
    return [steady(entry) for entry in value] if isinstance(value, list) else value


def errors_of(run: Run) -> list[str]:
    return [
        event["exception"]["values"][-1]["type"] if "exception" in event else event["logger"]
        for event in run.sink.events
    ]


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_and_no_person_arrives_anywhere(run: Run, canary: str) -> None:
    arrived = [text for text in run.sink.texts if canary in text or json.dumps(canary)[1:-1] in text]

    assert arrived == []
    assert canary not in run.log


def test_every_error_arrives_once(run: Run) -> None:
    assert errors_of(run) == ["ResponseError", "plain", "ValueError", "RuntimeError"]


def test_sentry_adds_no_header_to_our_requests(run: Run) -> None:
    assert run.sent_headers == ["Accept", "Accept-Encoding", "Authorization", "Connection", "Host", "User-Agent"]


def test_an_error_report_holds_this_and_nothing_else(run: Run) -> None:
    report = steady(run.sink.events[2])

    assert report == {
        "level": "error",
        "exception": {
            "values": [
                {
                    "mechanism": {"type": "logging", "handled": True},
                    "module": None,
                    "type": "ValueError",
                    "value": "cannot take *** ***, *** *** of {'em': ***} with <Client ***>",
                    "stacktrace": {
                        "frames": [
                            {
                                "filename": "leaky_program.py",
                                "abs_path": "*",
                                "function": "<module>",
                                "module": "__main__",
                                "lineno": "*",
                                "in_app": True,
                            },
                            {
                                "filename": "leaky_program.py",
                                "abs_path": "*",
                                "function": "deliver",
                                "module": "__main__",
                                "lineno": "*",
                                "in_app": True,
                            },
                        ]
                    },
                }
            ]
        },
        "logger": "worker.relay",
        "logentry": {"message": "batch failed", "formatted": "batch failed"},
        "extra": {"dataset_id": "123456789012", "lane": "1/0", "user_data": "***"},
        "tags": {"dataset_id": "123456789012", "lane": "1/0"},
        "event_id": "*",
        "timestamp": "*",
        "contexts": {"trace": {"trace_id": "*", "span_id": "*", "parent_span_id": None}, "runtime": "*"},
        "transaction_info": {},
        "breadcrumbs": {
            "values": [
                {
                    "type": "log",
                    "level": "info",
                    "category": "worker.relay",
                    "message": "posting for ***",
                    "timestamp": "*",
                    "data": {"ph": "***", "dataset_id": "123456789012"},
                },
                {
                    "type": "http",
                    "category": "httplib",
                    "data": {"http.method": "GET", "url": "*", "http.response.status_code": 200, "reason": "OK"},
                    "timestamp": "*",
                },
                {
                    "type": "redis",
                    "category": "redis",
                    "message": "XADD 'q'",
                    "data": {"redis.is_cluster": False, "redis.command": "XADD", "db.operation": "XADD"},
                    "timestamp": "*",
                },
                {
                    "type": "log",
                    "level": "error",
                    "category": "plain",
                    "message": "cannot reach redis://***@store for ***",
                    "timestamp": "*",
                    "data": {"payload": {"ph": "***", "to": "***"}},
                },
            ]
        },
        "release": "1",
        "environment": "test",
        "server_name": "*",
        "sdk": {
            "name": "sentry.python",
            "version": "*",
            "packages": [{"name": "pypi:sentry-sdk", "version": "*"}],
            "integrations": ["atexit", "celery", "dedupe", "excepthook", "logging", "redis", "stdlib", "threading"],
        },
        "platform": "python",
    }


def test_a_url_in_a_breadcrumb_has_lost_its_query(run: Run) -> None:
    crumbs = run.sink.events[2]["breadcrumbs"]["values"]
    (url,) = (crumb["data"]["url"] for crumb in crumbs if crumb.get("category") == "httplib")

    assert url.endswith("/v23.0/1/events")


def test_what_nobody_caught_is_logged_scrubbed(run: Run) -> None:
    last = json.loads(run.log.splitlines()[-1])

    assert last["event"] == "uncaught RuntimeError"
    assert last["exception"].endswith("RuntimeError: unhandled: *** *** *** ***")


def test_what_cannot_be_scrubbed_is_not_sent() -> None:
    class Unshowable:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert clean({"extra": {"x": Unshowable()}}) is None


def test_without_a_dsn_a_worker_does_not_even_load_the_sdk(tmp_path: Path) -> None:
    code = (
        "import sys; from worker import app; import tasks.deliver, tasks.maintenance;"
        "app._start_reporting(); app._setup_logging();"
        "app.duties().tick(); app.duties().deliver(); app.duties().sweep();"
        "sys.exit('sentry_sdk' in sys.modules)"
    )
    with EmbeddedServer(tmp_path) as store:
        env = {"CAPI_REDIS_URL": store.url, "PYTHONPATH": str(ROOT), "SENTRY_TRACES_SAMPLE_RATE": "1"}
        done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, cwd=ROOT, env=env)

    assert done.returncode == 0
