import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.relay import ROOT
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead, lines

SIZE = "capi1:{s0}:size"


def waiting(site: Site, dataset_id: str = DATASET) -> int:
    return int(site.json("status")["datasets"][dataset_id]["waiting"])


@pytest.mark.parametrize(
    "text",
    [lines(lead("1"), lead("2")), json.dumps([lead("1"), lead("2")], indent=1), json.dumps({"data": [lead(), lead()]})],
)
def test_all_forms_of_file_are_enqueued(site: Site, text: str) -> None:
    done = site.run("send", site.file(text), "--dataset", DATASET)

    assert done.stdout == "accepted 2, refused 0, with warnings 0\n"
    assert waiting(site) == 2


def test_stdin_is_read_where_the_file_is_a_dash(site: Site) -> None:
    assert site.json("send", "-", "--dataset", DATASET, stdin=lines(lead()))["accepted"] == 1


def test_the_default_dataset_comes_from_the_environment(site: Site) -> None:
    site.run("send", "-", stdin=lines(lead()), env={"CAPI_DATASET_ID": DATASET})

    assert waiting(site) == 1


def test_one_file_may_hold_several_datasets(site: Site) -> None:
    text = lines(lead("1"), {"dataset_id": OTHER, "event": lead("2")}, {"dataset_id": OTHER, "event": lead("3")})
    site.run("send", "-", "--dataset", DATASET, stdin=text)

    assert (waiting(site), waiting(site, OTHER)) == (1, 2)


def test_events_that_nothing_gives_a_dataset_are_misuse(site: Site) -> None:
    assert "--dataset" in site.run("send", "-", code=2, stdin=lines(lead())).stderr


def test_single_events_without_a_dataset_among_others_are_refused(site: Site) -> None:
    text = lines({"dataset_id": OTHER, "event": lead("1")}, lead("2"))

    assert site.json("send", "-", stdin=text)["first_refused"][0]["line"] == 2


def test_refused_events_are_counted_and_told_and_exit_with_zero(site: Site) -> None:
    text = lines(lead()) + '{"a": NaN}\n' + lines(lead("2", custom_data={"x": "y" * 70_000}))
    done = site.run("send", "-", "--dataset", DATASET, stdin=text)

    assert done.stdout == "accepted 1, refused 2, with warnings 0\n"
    assert "line 2: refused: NaN is no JSON" in done.stderr
    assert "line 3: refused: " in done.stderr


def test_the_first_twenty_refusals_are_told(site: Site) -> None:
    told = site.json("send", "-", "--dataset", DATASET, stdin="x\n" * 25)

    assert told["refused"] == 25
    assert [each["line"] for each in told["first_refused"]] == list(range(1, 21))


def test_warnings_are_counted_and_told(site: Site) -> None:
    event = lead(user_data={"em": "ada@example.com", "ph": "unknown"})
    told = site.json("send", "-", "--dataset", DATASET, stdin=lines(event, lead("2")))

    assert (told["accepted"], told["warnings"]) == (2, 1)
    assert told["first_warnings"][0]["warning"].startswith("user_data.ph")


def test_no_personal_value_is_repeated(site: Site) -> None:
    event = lead(user_data={"em": "ada@example", "ph": "tel 555"})
    done = site.run(
        "send", "-", "--dataset", DATASET, stdin=lines(event) + '{"ada@example.com": 1, "ada@example.com": 2}\n'
    )

    assert "refused 1" in done.stdout
    assert "ada@" not in done.output


def test_an_event_that_meta_would_refuse_is_accepted(site: Site) -> None:
    assert site.json("send", "-", "--dataset", DATASET, stdin=lines(bad()))["accepted"] == 1


def test_more_events_than_one_call_takes_are_all_enqueued(site: Site) -> None:
    text = lines(*(lead(str(number)) for number in range(2500)))

    assert site.json("send", "-", "--dataset", DATASET, stdin=text)["accepted"] == 2500
    assert waiting(site) == 2500


def test_a_broken_document_is_misuse_and_nothing_of_it_is_sent(site: Site) -> None:
    assert "nothing was sent" in site.run("send", "-", "--dataset", DATASET, code=2, stdin='[{"a": 1}, {').stderr
    assert waiting(site) == 0


def test_the_test_event_code_of_a_file_is_not_passed_over_in_silence(site: Site) -> None:
    text = json.dumps({"data": [lead()], "test_event_code": "TEST1"})

    assert "test_event_code is not used" in site.run("send", "-", "--dataset", DATASET, stdin=text).stderr


def test_a_store_that_is_away_stops_it_with_one(site: Site, tmp_path: Path) -> None:
    env = {"CAPI_REDIS_URL": f"unix://{tmp_path}/nobody.sock"}
    done = site.run("send", "-", "--dataset", DATASET, "--wait", "0", code=1, stdin=lines(lead()), env=env)

    assert done.stdout == "accepted 0, refused 0, with warnings 0\n"
    assert "no connection to the event store" in done.stderr
    assert "--from-event 1" in done.stderr


def test_a_store_that_is_full_stops_it_and_it_says_where_to_go_on(site: Site) -> None:
    text = lines(*(lead(str(number), custom_data={"x": "y" * 1000}) for number in range(3000)))
    site.store._connection.command("HSET", SIZE, "cap", 2_000_000)
    told = site.json("send", "-", "--dataset", DATASET, "--wait", "0.2", code=1, stdin=text)
    accepted = told["accepted"]

    assert told["stopped"] == {
        "reason": told["stopped"]["reason"],
        "event": accepted + 1,
        "line": accepted + 1,
        "accepted_after": 0,
    }
    assert 0 < accepted == waiting(site) < 3000


def test_what_was_left_out_is_sent_by_going_on(site: Site) -> None:
    text = json.dumps([lead(str(number)) for number in range(5)])
    site.run("send", "-", "--dataset", DATASET, "--from-event", "4", stdin=text)

    assert waiting(site) == 2


def test_it_waits_until_there_is_room_again(site: Site) -> None:
    site.store._connection.command("HSET", SIZE, "cap", 1)
    path = site.file(lines(*(lead(str(number)) for number in range(10))))
    sending = subprocess.Popen(
        [sys.executable, "-m", "worker", "send", path, "--dataset", DATASET, "--wait", "30"],
        cwd=ROOT,
        env={**os.environ, **site.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert sending.stderr is not None
    said = sending.stderr.readline()
    site.store._connection.command("HSET", SIZE, "cap", 0)
    stdout, _ = sending.communicate(timeout=30)

    assert said == "Waiting: the event store is full: the events were not accepted\n"
    assert (sending.returncode, stdout) == (0, "accepted 10, refused 0, with warnings 0\n")


def test_an_event_without_id_and_time_is_given_both(site: Site) -> None:
    event = {key: value for key, value in lead().items() if key not in {"event_id", "event_time"}}
    site.run("send", "-", "--dataset", DATASET, stdin=lines(event), env={"CAPI_LINGER_SECONDS": "0"})
    lease = site.store.lanes.claim(site.store.lanes.look(), max_events=1, max_bytes=1000)
    assert lease is not None
    stored = json.loads(lease.entries[0].event)

    assert len(stored["event_id"]) == 32
    assert abs(stored["event_time"] - time.time()) < 60


def test_ctrl_c_tells_what_was_done(site: Site) -> None:
    sending = subprocess.Popen(
        [sys.executable, "-m", "worker", "send", "-", "--dataset", DATASET],
        cwd=ROOT,
        env={**os.environ, **site.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert sending.stdin is not None
    sending.stdin.write(lines(*(lead(str(number)) for number in range(1001))))
    sending.stdin.flush()
    end = time.monotonic() + 20
    while waiting(site) < 1000 and time.monotonic() < end:
        time.sleep(0.05)
    sending.send_signal(signal.SIGINT)
    stdout, stderr = sending.communicate(timeout=20)

    assert (sending.returncode, stdout) == (1, "accepted 1000, refused 0, with warnings 0\n")
    assert "--from-event 1001" in stderr


def test_a_dataset_that_is_configured_nowhere_is_told_with_the_known_ids(site: Site) -> None:
    done = site.run("send", "-", "--dataset", "10011", stdin=lines(lead()))

    assert (
        f"Dataset 10011 is not configured: its events wait until it is. Configured: {DATASET}, {OTHER}" in done.stderr
    )
    assert "not configured" not in site.run("send", "-", "--dataset", DATASET, stdin=lines(lead())).output
