import os
import signal
import subprocess
import sys
import time

import pytest

from tests.fakes.relay import ROOT
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead
from worker.activity import Activity
from worker.breaker import Trouble
from worker.cli.watch import Watch
from worker.settings import load

CONTRACT = {
    *("enqueued", "waiting", "in_flight", "delivered", "fresh", "late", "doors", "dead_letters", "replayed", "foreign"),
    *("possible_duplicates", "oldest_age_seconds", "paused"),
}


def test_the_json_has_every_dataset_and_the_totals(site: Site) -> None:
    site.enqueue(lead("1"), lead("2"), bad())
    site.work()
    site.enqueue(lead("3"), dataset_id="77")
    status = site.json("status")

    assert status["datasets"].keys() == {DATASET, OTHER, "77"}
    assert all(each.keys() >= CONTRACT for each in status["datasets"].values())
    assert status["totals"].keys() >= CONTRACT - {"paused"}


def test_the_counts_say_where_each_event_is(site: Site) -> None:
    site.enqueue(lead("1"), lead("2"), bad())
    site.work()
    site.enqueue(lead("3"))
    status = site.json("status")["datasets"][DATASET]

    assert (status["enqueued"], status["waiting"], status["delivered"], status["fresh"]) == (4, 1, 2, 2)
    assert (status["doors"]["invalid"], status["dead_letters"], status["share_within_hour"]) == (1, 1, 1.0)
    assert 0 <= status["oldest_age_seconds"] < 60


def test_what_a_worker_is_at_is_in_flight(site: Site) -> None:
    site.enqueue(lead("1"), lead("2"))
    assert site.store.lanes.claim(site.store.lanes.look(), max_events=1, max_bytes=1000)
    status = site.json("status")["datasets"][DATASET]

    assert (status["waiting"], status["in_flight"]) == (1, 1)


def test_the_match_quality_of_what_was_delivered_is_shown(site: Site) -> None:
    site.store.quality.add(
        DATASET, {"sampled": 2, "w:private_ip": 1, "q:Lead:events": 2, "q:Lead:tenths": 60, "q:Lead:asked.ph": 2}
    )
    quality = {each: status["quality"] for each, status in site.json("status")["datasets"].items()}

    assert (quality[DATASET]["score"], quality[DATASET]["sampled"]) == (3.0, 2)
    assert (quality[DATASET]["warnings"], quality[OTHER]["score"]) == ({"private_ip": 1}, None)
    assert f"{DATASET} 3.0" in site.run("status").stdout
    assert "private_ip" in site.run("status", "--quality").stdout


def test_a_person_sees_a_table_and_what_was_not_delivered(site: Site) -> None:
    site.enqueue(*(lead(str(number)) for number in range(1200)), bad())
    site.work()
    said = site.run("status").stdout

    assert "1,201" in said
    assert "Not delivered: invalid 1" in said


def test_a_pause_is_explained_with_what_to_do(site: Site) -> None:
    site.store.admin.pause(DATASET, reason="token", seconds=1800, code=190)
    said = " ".join(site.run("status").stdout.split())

    assert f"Dataset {DATASET} is paused for 30 min 0 s (token): " in said
    assert "Generate a new token" in said


def test_watch_shows_it_until_ctrl_c(site: Site) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "worker", "status", "--watch"],
        cwd=ROOT,
        env={**os.environ, **site.env, "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert watching.stdout is not None
    first = b""
    while b"Dataset" not in first:
        first += watching.stdout.read1(10_000)  # type: ignore[attr-defined]  # a buffered reader has it
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=20)

    assert (watching.returncode, said) == (0, b"")


def test_reconcile_finds_nothing_missing(site: Site) -> None:
    site.enqueue(lead("1"), bad())
    site.work()
    site.enqueue(lead("2"))
    found = site.json("reconcile")

    assert found["unaccounted"] == 0
    assert found["datasets"][DATASET] == {
        "enqueued": 3,
        "replayed": 0,
        "foreign": 0,
        "waiting": 1,
        "in_flight": 0,
        "doors": 2,
        "unaccounted": 0,
    }


def test_reconcile_finds_an_event_that_is_missing(site: Site) -> None:
    site.enqueue(lead("1"), lead("2"))
    site.store._connection.command("XTRIM", f"capi1:{{s0}}:q:{DATASET}/0", "MAXLEN", 1)

    assert site.json("reconcile", code=1)["unaccounted"] == 1
    assert "1 unaccounted" in site.run("reconcile", code=1).stdout


def test_a_pause_holds_until_it_is_resumed(site: Site) -> None:
    site.enqueue(lead())
    site.run("pause", DATASET, "--reason", "wrong prices")
    site.work()

    assert site.json("status")["datasets"][DATASET]["paused"] == {"reason": "manual: wrong prices", "until": None}
    assert site.json("status")["datasets"][DATASET]["waiting"] == 1


def test_a_resumed_dataset_is_worked_on_at_once(site: Site) -> None:
    site.enqueue(lead())
    site.run("pause", DATASET)
    site.work()
    assert site.run("resume", DATASET).stdout == f"Dataset {DATASET} goes on; 1 event waits.\n"
    site.work()

    assert site.json("status")["datasets"][DATASET]["delivered"] == 1


def test_a_pause_for_a_time_says_when_it_ends(site: Site) -> None:
    paused = site.json("pause", DATASET, "--for", "3600")["paused"]

    assert paused["reason"] == "manual"
    assert paused["until"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    assert site.run("pause", DATASET, "--for", "3600").stdout == f"Dataset {DATASET} is paused for 1 h 0 min.\n"


def test_a_dataset_nobody_knows_is_paused_with_a_remark(site: Site) -> None:
    assert "look whether this is the right id" in site.run("pause", "555").stderr


def test_resuming_what_is_not_paused_is_no_fault(site: Site) -> None:
    done = site.run("resume", DATASET)

    assert (done.stderr, done.stdout) == (f"Dataset {DATASET} was not paused.\n", "")
    assert site.json("resume", DATASET) == {"dataset_id": DATASET, "paused": None}


def test_a_persons_pause_shows_the_persons_words(site: Site) -> None:
    site.run("pause", DATASET, "--reason", "wrong prices")

    assert f"Dataset {DATASET} is paused until it is resumed (manual: wrong prices)." in site.run("status").stdout


def test_a_worker_that_does_not_reach_meta_is_told_by_both_views(site: Site) -> None:
    site.store.workers.tell(Activity().sign(16, Trouble(65, 20, "no answer in time")))
    told = " (no answer in time), next try in "

    assert told in site.run("status").stdout
    view = Watch(load({**os.environ, **site.env}), site.store, (), ()).read()
    assert len(view.unreached) == 1
    assert told in view.unreached[0]


def test_what_was_replayed_is_told_beside_what_was_not_delivered(site: Site) -> None:
    site.enqueue(bad())
    site.work()
    site.run("dead", "replay", "--all")
    site.work()

    assert "Not delivered: invalid 2; replayed 1\n" in site.run("status").stdout


def test_the_workers_that_are_alive_are_counted(site: Site) -> None:
    idle = site.run("status").stdout
    site.store.workers.tell(Activity().sign(16))

    assert "No worker is alive: events wait." in idle
    assert "Workers alive: 1." in site.run("status").stdout
    assert site.json("status")["workers"] == 1


def test_metrics_and_status_count_the_same_pauses_also_of_a_dataset_without_an_event(site: Site) -> None:
    site.enqueue(lead())
    for dataset_id in (DATASET, "77"):
        site.run("pause", dataset_id)
    paused = [each for each in site.json("status")["datasets"].values() if each["paused"]]
    told = site.run("metrics", "--once").stdout

    assert len(paused) == 2
    assert 'capi_paused{reason="manual"} 2.0' in told
    assert 'capi_dataset_paused{dataset="77",reason="manual"} 1.0' in told


@pytest.mark.parametrize(("reason", "counts"), [("token", False), ("manual", False), ("rate_limited", True)])
def test_a_paused_datasets_age_hides_no_other_that_is_stuck(site: Site, reason: str, counts: bool) -> None:  # noqa: FBT001 - a case
    site.enqueue(lead())
    site.store.admin.pause(DATASET, reason=reason, seconds=1800)
    _until_it_has_an_age(site)
    alone = _metrics(site)["capi_oldest_unpaused_age_seconds"]
    site.enqueue(lead(), dataset_id=OTHER)
    with_another = _until_it_has_an_age(site, "capi_oldest_unpaused_age_seconds")

    assert (alone > 0) == counts
    assert with_another["capi_oldest_age_seconds"] >= with_another["capi_oldest_unpaused_age_seconds"]


def test_all_datasets_are_listed_only_where_that_is_asked_for(site: Site) -> None:
    for number in range(60):
        site.store.admin.pause(str(5000 + number), reason="manual", seconds=1800)
    site.enqueue(lead(), dataset_id="99")
    site.store.admin.pause("99", reason="token", seconds=1800, code=190)
    said = site.run("status").stdout

    assert said.index("99 ") < said.index("5000 ")
    assert "\nand 23 more: --all shows them\n" in said
    assert "5059" not in said
    assert "5059 " in site.run("status", "--all").stdout
    assert "more: --all" not in site.run("status", "--all").stdout
    assert list(site.json("status")["datasets"]) == sorted([DATASET, OTHER, "99", *map(str, range(5000, 5060))])


def test_datasets_that_are_named_are_all_listed(site: Site) -> None:
    words = [word for number in range(45) for word in ("--dataset", str(5000 + number))]

    assert "more: --all" not in site.run("status", *words).stdout


def test_of_many_datasets_reconcile_lists_those_that_do_not_balance_and_the_sums(site: Site) -> None:
    for number in range(60):
        site.store.admin.pause(str(5000 + number), reason="manual", seconds=1800)
    site.enqueue(lead("1"), lead("2"), dataset_id="5007")
    site.enqueue(lead("3"), dataset_id="5008")
    site.store._connection.command("XTRIM", "capi1:{s0}:q:5007/0", "MAXLEN", 1)
    said = site.run("reconcile", code=1).stdout
    rows = [line.split() for line in said.splitlines() if line.strip()[:1].isdigit() or line.strip().startswith("all")]

    assert rows == [
        ["5007", "2", "0", "0", "1", "0", "0", "1"],
        ["all", "62", "3", "0", "0", "2", "0", "0", "1"],
        ["1", "unaccounted"],
    ]
    assert len(site.json("reconcile", code=1)["datasets"]) == 62


def _metrics(site: Site) -> dict[str, float]:
    lines = (line for line in site.run("metrics", "--once").stdout.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def _until_it_has_an_age(site: Site, name: str = "capi_oldest_age_seconds") -> dict[str, float]:
    """Return the metrics as soon as this age is told: an event that is just enqueued is 0 ms old."""
    deadline = time.monotonic() + 10
    while not (found := _metrics(site))[name]:
        assert time.monotonic() < deadline
    return found
