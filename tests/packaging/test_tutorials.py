"""The tutorials, typed as they stand: each web app runs, and what is done in it arrives by way of a real worker."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.commands import commands_of
from tests.fakes.reader import Reader
from tests.fakes.relay import wait_until
from tests.fakes.system import needed

EXAMPLES = Path(__file__).parents[2] / "examples"
APPS = sorted(path.name for path in EXAMPLES.glob("*_app"))
LEDGER = "curl -s 'http://127.0.0.1:8090/_ledger/events?raw=1'"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    needed("curl")
    with Reader(tmp_path_factory.mktemp("r")) as reader:  # the path of the store's socket must be short
        for command in commands_of(EXAMPLES / "README.md"):
            reader.type(command)
        yield reader


@pytest.fixture(scope="module")
def answers(reader: Reader) -> Mapping[str, Any]:
    """Type each tutorial's commands, and return what its app answered to the last."""
    said = {app: [reader.type(command) for command in commands_of(EXAMPLES / app / "README.md")] for app in APPS}
    return {app: json.loads(outputs[-1]) for app, outputs in said.items()}


def arrived(reader: Reader) -> Counter[str]:
    return Counter(json.loads(line)["event_id"] for line in reader.type(LEDGER).splitlines())


def test_the_first_page_ends_with_the_command_that_tells_what_came() -> None:
    assert commands_of(EXAMPLES / "README.md")[-1] == LEDGER


@pytest.mark.parametrize("app", APPS)
def test_what_is_done_in_an_app_is_delivered_by_a_worker(reader: Reader, answers: Mapping[str, Any], app: str) -> None:
    event_id = answers[app]["event_id"]

    wait_until(lambda: arrived(reader)[event_id] > 0, f"the event of {app} has arrived")


def test_the_same_order_twice_is_one_event(reader: Reader, answers: Mapping[str, Any]) -> None:
    again = json.loads(reader.type(commands_of(EXAMPLES / "flask_app" / "README.md")[-1]))
    wait_until(lambda: all_have_left(reader), "every event has left")

    assert again == answers["flask_app"]
    assert arrived(reader)[again["event_id"]] == 1


def all_have_left(reader: Reader) -> bool:
    (dataset,) = json.loads(reader.type("python -m worker status --json"))["datasets"].values()
    return bool(dataset["waiting"] + dataset["in_flight"] == 0)
