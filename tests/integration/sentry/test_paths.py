"""Every path on which a worker reports to Sentry, compared as a whole; what is planted arrives on none of them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from capi_relay import Producer
from tests.fakes.events import purchase
from tests.fakes.sentry import SentrySink, sentry_sink
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator

ROOT = Path(__file__).parents[3]
MAIL = "jane.canary@example.com"
TOKENS = {name: f"EAAcanaryTOKEN{name}" for name in ("111", "222", "333", "334", "444", "555")}
TOKENS["334"] = TOKENS["333"]
CANARIES = (MAIL, "canary", sha256(MAIL.encode()).hexdigest(), *TOKENS.values())
FAULTS: list[dict[str, Any]] = [
    {"dataset": "111", "kind": "poison", "event_id_prefix": "bad", "code": 100, "subcode": 2804050},
    {"dataset": "222", "kind": "code", "code": 200, "status": 403},
    {"dataset": "333", "kind": "token_revoked"},
    {"dataset": "334", "kind": "token_revoked"},
    {"dataset": "444", "kind": "rate_limited", "minutes": 5},
    {"dataset": "555", "kind": "received_short", "missing": 1},
]
# What every report has, whatever happened. Breadcrumbs have a test of their own, and are searched for what was planted.
COMMON = {
    "level": "error",
    "release": "1",
    "environment": "production",
    "platform": "python",
    "sdk": {
        "name": "sentry.python",
        "version": "*",
        "packages": [{"name": "pypi:sentry-sdk", "version": "*"}],
        "integrations": ["atexit", "celery", "dedupe", "excepthook", "logging", "redis", "stdlib", "threading"],
    },
}
Report = dict[str, Any]
VOLATILE = {"transaction_info", "event_id", "timestamp", "server_name", "breadcrumbs", "contexts", "_meta"}


@dataclass
class Worker:
    """A process that does a worker's duties one at a time."""

    sink: SentrySink
    meta: Simulator
    store: EmbeddedServer
    broker: EmbeddedServer
    folder: Path
    process: subprocess.Popen[str]
    reported: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def enqueue(self, event_ids: Iterable[str], *dataset_ids: str) -> None:
        path = self.folder / "datasets.toml"
        with closing(Producer(self.store.url, datasets_path=path, linger_seconds=0, deadline_seconds=20)) as producer:
            for dataset_id in dataset_ids:
                events = [purchase(f"{event_id}-{dataset_id}", user_data={"em": MAIL}) for event_id in event_ids]
                for outcome in producer.enqueue_many(events, dataset_id=dataset_id):
                    assert not isinstance(outcome, Exception), outcome

    def does(self, step: str, told_as: str | None = None) -> None:
        before = len(self.sink.events)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        self.reported.setdefault(told_as or step, []).extend(self.sink.events[before:])


@contextmanager
def running_worker(folder: Path, **settings: str) -> Iterator[Worker]:
    (folder / "datasets.toml").write_text(
        "".join(f'[[dataset]]\nid = "{name}"\ntoken = "{token}"\n' for name, token in TOKENS.items())
    )
    with ExitStack() as stack:
        meta = stack.enter_context(Simulator(TOKENS))
        store = stack.enter_context(EmbeddedServer(folder / "store"))
        broker = stack.enter_context(EmbeddedServer(folder / "broker"))
        sink = stack.enter_context(sentry_sink())
        env = {name: value for name, value in os.environ.items() if not name.startswith(("CAPI_", "SENTRY"))} | {
            "CAPI_REDIS_URL": store.url,
            "CELERY_BROKER_URL": f"redis+socket://{broker.socket_path}",
            "CAPI_GRAPH_URL": meta.url,
            "CAPI_DATASETS": str(folder / "datasets.toml"),
            "CAPI_LINGER_SECONDS": "0",
            "SENTRY_DSN": sink.dsn,
            "SENTRY_RELEASE": "1",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, Path(__file__).with_name("duties_program.py"), MAIL],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        stack.callback(process.kill)
        meta.faults(FAULTS)
        yield Worker(sink, meta, store, broker, folder, process)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with running_worker(tmp_path_factory.mktemp("paths")) as worker:
        worker.enqueue(["bad-1", "bad-2", "good-1", "good-2", "good-3"], *TOKENS, "666")
        for step in ("deliver", "tick", "sweep"):
            worker.does(step)
        worker.enqueue(["bad-4", "bad-5"], "111")
        worker.does("deliver", "the same fault in the next batch")
        worker.enqueue(["good-4"], "555")
        worker.broker.kill()
        worker.does("tick", "broker away")
        worker.does("tick", "broker still away")
        worker.store.kill()
        for step in ("tick", "deliver", "sweep"):
            worker.does(step, "store away")
        for step in ("tick", "deliver", "sweep"):
            worker.does(step, "store still away")
        worker.does("crash")
        worker.does("crash", "the same crash again")
        yield worker


def whole(event: dict[str, Any]) -> dict[str, Any]:
    """Return all that a report says beside what every one does, of which it checks that it is there."""
    steady = {key: part for key, part in event.items() if key not in VOLATILE}
    steady["sdk"] = {**steady["sdk"], "version": "*", "packages": [{"name": "pypi:sentry-sdk", "version": "*"}]}
    assert {key: steady.get(key) for key in COMMON} == COMMON
    return {key: without_chance(part) for key, part in steady.items() if key not in COMMON}


def without_chance(part: object) -> object:
    """Put a star for what differs from run to run: ids of requests and tasks, waits with jitter, paths, lines."""
    if isinstance(part, dict):
        by_chance = {"fbtrace_id", "celery_task_id", "next_try_in_seconds", "abs_path", "lineno"}
        return {key: "*" if key in by_chance and value else without_chance(value) for key, value in part.items()}
    if isinstance(part, list):
        return [without_chance(each) for each in part]
    return re.sub(r"(connecting to )\S+\.sock", r"\1*", part) if isinstance(part, str) else part


def line(
    logger: str, message: str, transaction: str, extra: dict[str, Any], tags: dict[str, str], *issue: str
) -> Report:
    """Return the whole report of a log line."""
    return {
        "logger": logger,
        "logentry": {"message": message, "formatted": message},
        "transaction": transaction,
        "extra": extra,
        "tags": {"celery_task_id": "*", **tags},
        "fingerprint": [message, *issue],
    }


def paused(dataset_ids: list[str], reason: str, code: int, why: str) -> Report:
    return line(
        "worker.pauses",
        "datasets paused, their events wait",
        "batch",
        {
            "dataset_ids": dataset_ids,
            "reason": reason,
            "why": why,
            "code": code,
            "subcode": None,
            "fbtrace_id": "*",
            "next_try_in_seconds": "*",
        },
        {"dataset_id": dataset_ids[0], "reason": reason, "code": str(code), "fbtrace_id": "*"},
        *(f"reason {reason}", f"code {code}", f"dataset_id {dataset_ids[0]}"),
    )


def away(message: str, transaction: str, why: str) -> Report:
    return line("worker.duties", message, transaction, {"why": why}, {})


EXPECTED = {
    "a token that is dead": paused(
        ["333", "334"], "token", 190, "Invalid OAuth access token - Cannot parse access token"
    ),
    "a rate limit": paused(["444"], "rate_limited", 4, "(#4) Application request limit reached"),
    "a dataset that is blocked": paused(
        ["222"], "blocked", 200, "(#200) The caller lacks a permission for this dataset"
    ),
    "a dataset without a token": line(
        "worker.pauses",
        "dataset paused, its events wait",
        "batch",
        {"dataset_id": "666", "reason": "no_token", "why": "this dataset is not in the datasets file"},
        {"dataset_id": "666", "reason": "no_token"},
        "reason no_token",
        "dataset_id 666",
    ),
    "a shortfall": line(
        "worker.batch",
        "Meta received fewer events than were sent; they are not sent again",
        "batch",
        {"dataset_id": "555", "events": 5, "missing": 1, "fbtrace_id": "*"},
        {"dataset_id": "555", "fbtrace_id": "*"},
        "dataset_id 555",
    ),
    "events that Meta rejects": line(
        "worker.batch",
        "dead letters written",
        "batch",
        {
            "dataset_id": "111",
            "lane": "111/0",
            "door": "rejected",
            "events": 2,
            "code": 100,
            "subcode": 2804050,
            "fbtrace_id": "*",
        },
        {
            "dataset_id": "111",
            "lane": "111/0",
            "door": "rejected",
            "code": "100",
            "subcode": "2804050",
            "fbtrace_id": "*",
        },
        *("door rejected", "code 100", "subcode 2804050", "dataset_id 111"),
    ),
}
STORE = "the event store could not run {}: ConnectionError: Error 111 connecting to *. Connection refused."
AWAY = {
    "broker away": [
        away("no hints until the broker answers", "capi.tick", "the broker is away or refuses: OperationalError")
    ],
    "store away": [
        away("no tick until the event store answers", "capi.tick", STORE.format("SMEMBERS")),
        away("delivery stops until the event store answers", "capi.deliver", STORE.format("peek")),
        away("no sweep until the event store answers", "capi.sweep", STORE.format("SCAN")),
    ],
}


def frame(filename: str, module: str, function: str) -> dict[str, Any]:
    named = {"filename": filename, "abs_path": "*", "function": function, "module": module}
    return {**named, "lineno": "*", "in_app": True}


@pytest.mark.parametrize("path", EXPECTED)
def test_a_report_holds_this_and_nothing_else(worker: Worker, path: str) -> None:
    assert EXPECTED[path] in [whole(event) for event in worker.reported["deliver"]]


def test_a_turn_of_all_datasets_makes_one_report_for_each_cause(worker: Worker) -> None:
    assert len(worker.reported["deliver"]) == len(EXPECTED)


@pytest.mark.parametrize("path", AWAY)
def test_a_server_that_is_away_is_reported_so(worker: Worker, path: str) -> None:
    assert [whole(event) for event in worker.reported[path]] == AWAY[path]


@pytest.mark.parametrize(
    "path",
    [
        "tick",
        "sweep",
        "the same fault in the next batch",
        "broker still away",
        "store still away",
        "the same crash again",
    ],
)
def test_what_is_no_fault_or_was_just_reported_is_not_reported(worker: Worker, path: str) -> None:
    assert worker.reported[path] == []


def test_a_task_that_crashes_is_reported_with_its_frames_and_without_their_variables(worker: Worker) -> None:
    (event,) = worker.reported["crash"]

    assert whole(event) == {
        "exception": {
            "values": [
                {
                    "mechanism": {"type": "celery", "handled": False},
                    "module": None,
                    "type": "ValueError",
                    "value": "cannot take ***",
                    "stacktrace": {
                        "frames": [
                            frame("tasks/deliver.py", "tasks.deliver", "deliver"),
                            frame("worker/duties.py", "worker.duties", "deliver"),
                            frame("duties_program.py", "__main__", "broken"),
                        ]
                    },
                }
            ]
        },
        "transaction": "capi.deliver",
        "tags": {"celery_task_id": "*"},
        "extra": {},
    }


def test_nothing_that_was_planted_arrives(worker: Worker) -> None:
    assert len(worker.sink.texts) >= len(EXPECTED)
    assert [text for text in worker.sink.texts if any(canary in text for canary in CANARIES)] == []


def test_the_monitors_hear_once_a_minute_how_the_duties_went(worker: Worker) -> None:
    check_ins = worker.sink.of_type("check_in")
    told = {
        "type": "check_in",
        "duration": None,
        "environment": "production",
        "release": "1",
        "platform": "python",
    }
    config = {
        "checkin_margin": 5,
        "max_runtime": 5,
        "failure_issue_threshold": 3,
        "recovery_threshold": 1,
        "timezone": "UTC",
    }
    expected = [
        {
            **told,
            "monitor_slug": slug,
            "status": status,
            "monitor_config": {"schedule": {"type": "interval", "value": minutes, "unit": "minute"}, **config},
        }
        for slug, status, minutes in (
            ("capi-tick", "ok", 1),
            ("capi-sweep", "ok", 10),
            ("capi-tick", "error", 1),
            ("capi-sweep", "error", 10),
        )
    ]
    volatile = {*VOLATILE, "check_in_id", "sdk"}

    assert [{key: part for key, part in each.items() if key not in volatile} for each in check_ins] == expected


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("timed")
    with running_worker(folder, SENTRY_TRACES_SAMPLE_RATE="1", SENTRY_MONITORS="off") as worker:
        worker.enqueue(["good-1", "good-2"], "111")
        worker.does("deliver")
        worker.does("tick")
        yield worker


def test_a_batch_is_timed_with_its_sizes_and_its_outcome_and_a_tick_is_not(timed: Worker) -> None:
    (batch,) = timed.sink.of_type("transaction")
    data = batch["contexts"]["trace"]["data"]

    assert batch["transaction"] == "batch"
    assert {name: batch["tags"].get(name) for name in ("dataset_id", "lane", "outcome")} == {
        "dataset_id": "111",
        "lane": "111/0",
        "outcome": "Delivered",
    }
    assert (data["events"], data["requests"]) == (2, 1)
    assert 0 < data["seconds"] < 60
    assert data["bytes"] > 500


def test_the_timing_of_a_batch_holds_nothing_that_was_planted(timed: Worker) -> None:
    assert [text for text in timed.sink.texts if any(canary in text for canary in CANARIES)] == []


def test_monitors_can_be_switched_off(timed: Worker) -> None:
    assert timed.sink.of_type("check_in") == []
