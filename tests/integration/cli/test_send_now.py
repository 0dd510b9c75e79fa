import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.events import mixed
from tests.fakes.server import free_port
from tests.fakes.simulator import Simulator
from tests.integration.cli.commands import DATASET, OTHER, TOKEN, Site, bad, lead, lines

NOW = ("--dataset", DATASET, "--now", "--test-event-code", "TEST12345")


@pytest.fixture(scope="module")
def meta() -> Iterator[Simulator]:
    with Simulator({DATASET: TOKEN}) as running:
        yield running


@pytest.fixture
def now_site(site: Site, meta: Simulator) -> Site:
    meta.clear()
    return replace(site, env={**site.env, "CAPI_GRAPH_URL": meta.url})


def test_metas_answer_is_printed(now_site: Site) -> None:
    said = now_site.run("send", "-", *NOW, stdin=lines(lead())).stdout

    assert "HTTP 200" in said
    assert '"events_received": 1' in said


def test_the_events_arrive_hashed_as_test_events_and_past_the_queue(now_site: Site, meta: Simulator) -> None:
    now_site.run("send", "-", *NOW, stdin=lines(*mixed(50, seed=3)))

    assert {event["test_event_code"] for event in meta.events()} == {"TEST12345"}
    assert len(meta.events()) == 50
    assert now_site.json("status")["totals"]["enqueued"] == 0


def test_the_json_has_the_outcome_and_the_answer(now_site: Site) -> None:
    told = now_site.json("send", "-", *NOW, stdin=lines(lead()))

    assert (told["sent"], told["outcome"], told["status"], told["answer"]["events_received"]) == (
        1,
        "Delivered",
        200,
        1,
    )


def test_a_refusal_is_explained_and_exits_with_one(now_site: Site) -> None:
    told = now_site.json("send", "-", *NOW, code=1, stdin=lines(bad()))

    assert (told["outcome"], told["status"], told["answer"]["error"]["code"]) == ("EventRejected", 400, 100)
    assert told["cause"]
    assert "Fix: " in now_site.run("send", "-", *NOW, code=1, stdin=lines(bad())).stdout


def test_a_machine_that_cannot_reach_meta_is_told(now_site: Site) -> None:
    env = {"CAPI_GRAPH_URL": f"http://127.0.0.1:{free_port()}"}
    done = now_site.run("send", "-", *NOW, "--json", code=1, stdin=lines(lead()), env=env)

    assert json.loads(done.stdout)["outcome"] == "LocalTrouble"


def test_no_token_and_no_personal_value_is_shown(now_site: Site) -> None:
    done = now_site.run("send", "-", *NOW, code=1, stdin=lines(bad()))

    assert TOKEN not in done.output
    assert "ada@" not in done.output


@pytest.mark.parametrize(
    ("stdin", "why"),
    [
        ("", "1 to 1000 events"),
        (lines(*(lead(str(number)) for number in range(1001))), "1 to 1000 events"),
        ("[1]", "line 1: "),
        (lines(lead("1"), lead("2", custom_data={"x": "y" * 70_000})), "line 2: "),
        (lines({"dataset_id": OTHER, "event": lead()}), "another dataset"),
    ],
)
def test_what_cannot_be_one_request_is_misuse_and_nothing_is_sent(
    now_site: Site, meta: Simulator, stdin: str, why: str
) -> None:
    done = now_site.run("send", "-", *NOW, code=2, stdin=stdin)

    assert why in done.stderr
    assert meta.ledger()["requests"] == 0


def test_a_dataset_without_a_token_is_misuse(now_site: Site) -> None:
    words = ("send", "-", "--dataset", OTHER, "--now", "--test-event-code", "T")

    assert "has no access token" in now_site.run(*words, code=2, stdin=lines(lead())).stderr
