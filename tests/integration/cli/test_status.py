import os
import signal
import subprocess
import sys
import time

from tests.fakes.relay import ROOT
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead
from worker.activity import Activity

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
    site.run("resume", DATASET)
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

    assert "was not paused" in done.stderr
    assert site.json("resume", DATASET) == {"dataset_id": DATASET, "paused": None}


def test_a_persons_pause_shows_the_persons_words(site: Site) -> None:
    site.run("pause", DATASET, "--reason", "wrong prices")

    assert f"Dataset {DATASET} is paused until it is resumed (manual: wrong prices)." in site.run("status").stdout


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
