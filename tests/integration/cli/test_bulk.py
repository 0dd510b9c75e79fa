"""Files in: CSV and JSON lines through ``send`` and ``validate``, and what is refused out again, to be mended."""

import csv
import json
import os
import pty
import select
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capi_relay.wire import decode
from tests.fakes.relay import ROOT
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead, lines

HEADER = "event_name,event_time,event_id,action_source,em,value,currency,dataset_id\n"


def row(event_id: str, *, value: str = "59.90", currency: str = "EUR", dataset_id: str = "") -> str:
    email = "ada@example.com"
    return f"Purchase,{int(time.time())},{event_id},system_generated,{email},{value},{currency},{dataset_id}\n"


def waiting(site: Site, dataset_id: str = DATASET) -> list[dict[str, object]]:
    lanes = site.store.eraser.lanes(dataset_id)
    return [decode(entry.event) for lane in lanes for page in site.store.eraser.pages(lane) for entry in page]


def test_rows_are_enqueued_for_their_datasets_with_personal_data_hashed(site: Site) -> None:
    file = site.file(HEADER + row("1") + row("2", dataset_id=OTHER), name="sales.csv")
    told = site.json("send", file, "--dataset", DATASET)

    assert (told["accepted"], told["refused"]) == (2, 0)
    (first,), (second,) = waiting(site), waiting(site, OTHER)
    assert (first["event_id"], second["event_id"]) == ("1", "2")
    assert "ada" not in json.dumps(first)


def test_a_mapping_file_is_followed(site: Site) -> None:
    mapping = site.file(
        '[columns]\nMail = "user_data.em"\nWhen = "event_time"\nSum = "custom_data.value"\n'
        '[constants]\nevent_name = "Purchase"\naction_source = "system_generated"\n"custom_data.currency" = "EUR"\n',
        name="map.toml",
    )
    file = site.file(f"Mail;When;Sum\nada@example.com;{int(time.time())};5\n", name="export.txt")
    done = site.run("send", file, "--dataset", DATASET, "--mapping", mapping)

    assert "No column is event_id" in done.stderr
    assert waiting(site)[0]["custom_data"] == {"value": "5", "currency": "EUR"}


@pytest.mark.parametrize("command", [("send", "--dataset", DATASET), ("validate",)])
def test_a_column_that_is_missing_is_a_misuse_and_nothing_is_sent(site: Site, command: tuple[str, ...]) -> None:
    mapping = site.file('[columns]\nMail = "user_data.em"\nWhen = "event_time"\n', name="map.toml")
    file = site.file("Mail\nada@example.com\n", name="export.csv")
    done = site.run(*command, file, "--mapping", mapping, code=2)

    assert "the file has no column When; its columns are: Mail" in done.stderr
    assert waiting(site) == []


def test_a_mapping_that_is_wrong_is_a_misuse(site: Site) -> None:
    mapping = site.file('[columns]\nMail = "user_data.mail"\n', name="map.toml")

    assert "no such key in user_data" in site.run("validate", "-", "--mapping", mapping, code=2).stderr
    assert (
        "leave out --format json" in site.run("validate", "-", "--format", "json", "--mapping", mapping, code=2).stderr
    )


def test_a_table_from_stdin_needs_the_format(site: Site) -> None:
    told = site.json("send", "-", "--format", "csv", "--dataset", DATASET, stdin=HEADER + row("1"))

    assert told["accepted"] == 1


def test_validate_reads_the_same_table(site: Site) -> None:
    file = site.file(HEADER + row("1") + row("2", currency="euros"), name="sales.csv")
    done = site.run("validate", file, code=1)

    assert "valid 1, invalid 1" in done.stdout
    assert "event 2 (line 3): custom_data.currency" in done.stdout


def test_rejected_rows_are_written_with_line_and_codes_and_can_be_mended_and_sent(site: Site, tmp_path: Path) -> None:
    file = site.file(HEADER + row("1") + row("2", currency="euros") + "short\n" + row("3"), name="sales.csv")
    rejects = tmp_path / "wrong.csv"
    told = site.json("send", file, "--dataset", DATASET, "--rejects", str(rejects))
    with rejects.open(newline="") as written:
        found = list(csv.DictReader(written))

    assert (told["accepted"], told["refused"]) == (2, 2)
    assert [each["rejected_line"] for each in found] == ["3", "4"]
    assert found[0]["rejected_codes"].startswith("custom_data.currency:")
    assert found[1]["rejected_codes"] == "wrong_cells"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    mended = rejects.read_text().replace("euros", "USD").splitlines(keepends=True)
    site.file("".join(mended[:2]), name="mended.csv")
    again = tmp_path / "again.csv"
    assert (
        site.json("send", str(tmp_path / "mended.csv"), "--dataset", DATASET, "--rejects", str(again))["accepted"] == 1
    )
    assert sorted(str(event["event_id"]) for event in waiting(site)) == ["1", "2", "3"]
    assert again.read_text() == ""


def test_rejected_lines_can_be_mended_and_sent(site: Site, tmp_path: Path) -> None:
    old = lead("old", event_time=int(time.time()) - 8 * 86_400)
    file = site.file(lines(lead("1"), bad("2"), old) + "{broken\n")
    rejects = tmp_path / "wrong.jsonl"
    rejects.write_text("of an earlier time")
    rejects.chmod(0o644)
    told = site.json("send", file, "--dataset", DATASET, "--rejects", str(rejects))
    found = [json.loads(line) for line in rejects.read_text().splitlines()]

    assert (told["accepted"], told["refused"]) == (1, 3)
    assert [each["rejected"]["line"] for each in found] == [2, 3, 4]
    assert [each["rejected"]["codes"] for each in found] == [
        ["shop:unknown_key"],
        ["event_time:too_old"],
        ["undecodable"],
    ]
    assert found[2]["raw"] == "{broken"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    del found[0]["event"]["shop"]
    assert site.json("send", "-", stdin=lines(found[0]))["accepted"] == 1


def test_rejects_are_not_written_over_what_is_read_nor_among_the_answer(site: Site) -> None:
    file = site.file(lines(lead()))
    done = site.run("send", file, "--dataset", DATASET, "--rejects", file, code=2)
    site.run("send", file, "--dataset", DATASET, "--rejects", "-", code=2)

    assert "another file than FILE" in done.stderr
    assert Path(file).read_text() == lines(lead())


def test_what_is_sent_on_after_a_stop_leaves_the_rejects_complete(site: Site, tmp_path: Path) -> None:
    file = site.file(lines(bad("1"), lead("2"), bad("3"), lead("4")))
    rejects = tmp_path / "wrong.jsonl"
    words = ("send", file, "--dataset", DATASET, "--rejects", str(rejects))
    site.store._connection.command("HSET", "capi1:{s0}:size", "cap", 1)
    told = site.json(*words, "--wait", "0", code=1)
    site.store._connection.command("HDEL", "capi1:{s0}:size", "cap")
    site.json(*words, "--from-event", str(told["stopped"]["event"]))
    found = [json.loads(line)["rejected"]["line"] for line in rejects.read_text().splitlines()]

    assert told["stopped"]["event"] == 2
    assert found == [1, 3]


def test_a_terminal_sees_progress_and_a_pipe_does_not(site: Site) -> None:
    file = site.file(HEADER + "".join(row(str(number)) for number in range(3000)), name="sales.csv")
    command = [sys.executable, "-m", "worker", "send", file, "--dataset", DATASET]
    env = {**os.environ, **site.env, "TERM": "xterm", "COLUMNS": "80"}
    ours, theirs = pty.openpty()
    sending = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said, deadline = b"", time.monotonic() + 60
    while sending.poll() is None or select.select([ours], [], [], 0)[0]:
        assert time.monotonic() < deadline
        if select.select([ours], [], [], 0.1)[0]:
            try:
                said += os.read(ours, 65_536)
            except OSError:  # the other end was closed
                break
    out, _ = sending.communicate(timeout=20)
    os.close(ours)
    piped = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True, timeout=60)

    assert b"accepted 3000" in out
    assert b"sending" in said
    assert b"/s" in said
    assert piped.stderr == b""
