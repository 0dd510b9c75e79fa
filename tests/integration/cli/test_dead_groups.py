"""Dead letters by cause: groups, filters, the forecast of a replay, one edited, exports; nothing personal in any."""

import csv
import json
import stat
import time
from pathlib import Path

import pytest

from capi_relay.wire import decode
from tests.integration.cli.commands import DATASET, OTHER, TOKEN, Site, bad, lead
from worker.store import StoredDeadLetter

CANARIES = ("ada@example.com", "+49 30 123456", "4930123456", TOKEN)


@pytest.fixture
def dead_site(site: Site) -> Site:
    """Return a site with dead letters of three causes in two datasets."""
    site.enqueue(bad("bad-1"), bad("bad-2"), lead("euro", custom_data={"value": 1, "currency": "euros"}))
    site.enqueue(bad("bad-3"), dataset_id=OTHER)
    site.work()
    site.enqueue(lead("killer"), dataset_id=OTHER)
    site.work("crashed")
    return site


def letters(site: Site) -> list[StoredDeadLetter]:
    return [each for dataset_id in (DATASET, OTHER) for each in site.store.dead.read(dataset_id)]


def id_of(site: Site, event_id: str) -> str:
    return next(str(each["id"]) for each in site.json("dead", "list") if each["event_id"] == event_id)


def test_the_largest_group_comes_first_with_its_datasets_times_and_fix(dead_site: Site) -> None:
    found = dead_site.json("dead", "groups")

    assert [(each["reason"], each["events"]) for each in found] == [("invalid", 3), ("crashed", 1), ("invalid", 1)]
    assert found[0]["fields"] == [{"path": "shop", "code": "unknown_key"}]
    assert found[0]["datasets"] == [DATASET, OTHER]
    assert found[0]["first_at"] <= found[0]["last_at"]
    assert "Correct the fields" in found[0]["fix"]


def test_a_person_reads_what_is_wrong_since_when_and_what_to_do(dead_site: Site) -> None:
    said = dead_site.run("dead", "groups", "--limit", "1").stdout

    assert said.startswith("invalid: shop unknown_key\n  3 event(s), 2 dataset(s), first 20")
    assert "Correct the fields" in said
    assert "and 2 event(s) of other causes" in said
    assert "no dead letters of this kind" in dead_site.run("dead", "groups", "--reason", "parked").stdout


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--field", "custom_data"), 1),
        (("--code", "unknown_key"), 3),
        (("--event-name", "Lead", "--dataset", OTHER), 1),
        (("--since", "1h"), 5),
        (("--until", "1h"), 0),
        (("--since", "2020-01-01", "--until", "2021-01-01T10:00"), 0),
        (("--reason", "invalid", "--dataset", OTHER), 1),
    ],
)
def test_all_commands_mean_the_same_letters(
    dead_site: Site, words: tuple[str, ...], count: int, tmp_path: Path
) -> None:
    target = tmp_path / "dead.jsonl"
    dead_site.run("dead", "export", str(target), *words)

    assert len(dead_site.json("dead", "list", *words)) == count
    assert sum(each["events"] for each in dead_site.json("dead", "groups", *words)) == count
    assert len(target.read_text().splitlines()) == count
    assert dead_site.json("dead", "replay", *words, "--dry-run")["replayed"] == count
    assert dead_site.json("dead", "purge", *words, "--dry-run")["purged"] == count


@pytest.mark.parametrize("words", [("--since", "soon"), ("--until", "2w"), ("--reason", "sad")])
def test_a_condition_that_is_none_is_a_misuse(site: Site, words: tuple[str, ...]) -> None:
    assert site.run("dead", "groups", *words, code=2).stderr


def test_a_dry_run_says_how_many_would_be_taken_and_why_not_the_others(dead_site: Site) -> None:
    told = dead_site.json("dead", "replay", "--all", "--dry-run")
    said = dead_site.run("dead", "replay", "--all", "--dry-run").stdout

    assert (told["replayed"], told["acceptable"]) == (5, 1)
    assert told["refused"][0] == {
        "reason": "invalid",
        "fields": [{"path": "shop", "code": "unknown_key"}],
        "events": 3,
    }
    assert "Meta would still be asked to take 1 of them now" in said
    assert "3 would be invalid: shop unknown_key" in said
    assert len(letters(dead_site)) == 5


def test_a_letter_that_is_mended_is_replayed_and_remembers_which_field(dead_site: Site) -> None:
    letter_id = id_of(dead_site, "euro")
    told = dead_site.json("dead", "edit", letter_id, "--dataset", DATASET, "--set", "custom_data.currency=EUR")

    assert (told["replayed"], told["edited"], told["problems"]) == (1, ["custom_data.currency"], [])
    dead_site.run("reconcile")
    dead_site.work("crashed")
    shown = dead_site.json("dead", "show", id_of_last(dead_site), "--dataset", DATASET)
    assert shown["event"]["custom_data"] == {"value": 1, "currency": "EUR"}
    assert shown["edited"] == ["custom_data.currency"]
    assert "edited" in dead_site.run("dead", "show", id_of_last(dead_site), "--dataset", DATASET).stdout


def id_of_last(site: Site) -> str:
    return site.letter_ids()[-1]


def test_a_field_is_left_out_and_a_raw_value_from_stdin_is_hashed(dead_site: Site) -> None:
    letter_id = id_of(dead_site, "bad-1")
    done = dead_site.run(
        "dead",
        "edit",
        letter_id,
        "--dataset",
        DATASET,
        "--unset",
        "shop",
        "--set",
        "user_data.ph=-",
        stdin="+49 30 123456\n",
    )
    (entry,) = next(dead_site.store.eraser.pages(f"{DATASET}/0"))
    event = decode(entry.event)

    assert done.stdout == "Replayed with user_data.ph, shop changed.\n"
    assert "shop" not in event
    assert len(event["user_data"]["ph"]) == 64
    assert all(canary not in done.output + entry.meta.decode() + entry.event.decode() for canary in CANARIES)


def test_an_edit_that_is_not_enough_changes_nothing_and_exits_with_one(dead_site: Site) -> None:
    letter_id = id_of(dead_site, "bad-1")
    before = letters(dead_site)
    done = dead_site.run("dead", "edit", letter_id, "--dataset", DATASET, "--set", "event_name=Purchase", code=1)

    assert "Not replayed" in done.stdout
    assert "shop: " in done.stdout
    assert (
        dead_site.json("dead", "edit", letter_id, "--dataset", DATASET, "--unset", "event_time", code=1)["reason"]
        == "invalid"
    )
    assert letters(dead_site) == before


def test_a_dry_run_of_an_edit_changes_nothing(dead_site: Site) -> None:
    before = letters(dead_site)
    letter_id = id_of(dead_site, "bad-1")

    assert (
        dead_site.json("dead", "edit", letter_id, "--dataset", DATASET, "--unset", "shop", "--dry-run")["acceptable"]
        is True
    )
    assert letters(dead_site) == before


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--set", "custom_data.value"),
        ("--set", "user_data.mail=x"),
        ("--unset", "custom_data.value"),
        ("--unset", "[]"),
        ("--set", "event_name.x=1"),
        ("--set", "user_data.ph=none"),
    ],
)
def test_an_edit_that_means_nothing_is_a_misuse(dead_site: Site, words: tuple[str, ...]) -> None:
    before = letters(dead_site)
    dead_site.run("dead", "edit", id_of(dead_site, "bad-1"), "--dataset", DATASET, *words, code=2)

    assert letters(dead_site) == before


def test_a_letter_whose_bytes_are_no_event_cannot_be_edited(site: Site) -> None:
    site.enqueue(lead())
    site.store._connection.command("XADD", f"capi1:{{s0}}:q:{DATASET}/0", "*", "e", b"\xff")
    site.work()
    (letter_id,) = site.letter_ids()

    assert (
        "cannot be edited"
        in site.run("dead", "edit", letter_id, "--dataset", DATASET, "--unset", "shop", code=1).stderr
    )
    assert "no dead letter 1-1" in site.run("dead", "edit", "1-1", "--unset", "shop", code=1).stderr


def test_a_table_is_exported_for_its_owner_only_and_holds_no_formula(site: Site, tmp_path: Path) -> None:
    site.enqueue(bad("=1+1"), bad("@SUM(A1)"))
    site.work()
    target = tmp_path / "dead.csv"
    target.write_text("old")
    target.chmod(0o644)
    site.run("dead", "export", str(target), "--format", "csv")
    with target.open(newline="") as written:
        rows = list(csv.DictReader(written))

    assert [row["event_id"] for row in rows] == ["'=1+1", "'@SUM(A1)"]
    assert json.loads(rows[0]["event"])["event_id"] == "=1+1"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_no_view_and_no_export_holds_a_token_or_a_raw_value(site: Site, tmp_path: Path) -> None:
    site.enqueue(bad("1"), lead("2", custom_data={"note": "call ada@example.com"}))
    raw = {
        "event_name": "Lead",
        "event_time": int(time.time()),
        "action_source": "system_generated",
        "user_data": {"em": "ada@example.com", "ph": "+49 30 123456"},
        "ada@example.com": 1,
    }
    for body in (json.dumps(raw).encode(), b"\xff ada@example.com"):
        site.store._connection.command("XADD", f"capi1:{{s0}}:q:{DATASET}/0", "*", "e", body)
    site.work()
    ids = site.letter_ids()
    tables = [str(tmp_path / name) for name in ("a.jsonl", "a.csv")]
    said = [
        *(site.run(*words).output for words in (("status",), ("status", "--json"), ("status", "--quality"))),
        *(
            site.run("dead", *words).output
            for words in (("list",), ("list", "--json"), ("groups",), ("groups", "--json"))
        ),
        *(site.run("dead", "show", each, *words).output for each in ids for words in ((), ("--json",))),
        *(site.run("dead", "replay", "--all", "--dry-run", *words).output for words in ((), ("--json",))),
        *(site.run("dead", "export", each, "--format", each.rpartition(".")[2]).output for each in tables),
        *(Path(each).read_text() for each in tables),
    ]

    assert len(ids) >= 3
    assert [canary for canary in CANARIES for text in said if canary in text] == []
