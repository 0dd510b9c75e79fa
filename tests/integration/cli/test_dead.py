import json
import stat
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead
from worker.cli import console
from worker.store import DeadStore, StoredDeadLetter

CONTRACT = {
    *("id", "dataset_id", "event_id", "event_name", "reason", "code", "subcode", "fbtrace_id", "attempts"),
    *("first_at", "last_at", "cause", "fix"),
}
DIGEST = sha256(b"ada@example.com").hexdigest()


@pytest.fixture
def dead_site(site: Site) -> Site:
    """Return a site with dead letters: two of one dataset, one of another reason in the other."""
    site.enqueue(bad("bad-1"), bad("bad-2"))
    site.work()
    site.enqueue(lead("killer"), dataset_id=OTHER)
    site.work("crashed")
    return site


def test_the_list_is_an_array_with_every_key_of_its_contract(dead_site: Site) -> None:
    letters = dead_site.json("dead", "list")

    assert [letter["event_id"] for letter in letters] == ["bad-1", "bad-2", ""]
    assert all(letter.keys() == CONTRACT for letter in letters)


def test_no_dead_letters_are_an_empty_array(site: Site) -> None:
    assert site.json("dead", "list") == []
    assert "no dead letters" in site.run("dead", "list").stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--dataset", OTHER), [OTHER]),
        (("--reason", "invalid"), [DATASET, DATASET]),
        (("--reason", "crashed", "--dataset", DATASET), []),
        (("--limit", "1"), [DATASET]),
    ],
)
def test_the_list_is_narrowed_by_options(dead_site: Site, words: tuple[str, ...], found: list[str]) -> None:
    assert [letter["dataset_id"] for letter in dead_site.json("dead", "list", *words)] == found


def test_a_person_sees_the_cause_and_that_there_is_more(dead_site: Site) -> None:
    said = dead_site.run("dead", "list", "--limit", "2").stdout

    assert "breaks one of Meta's documented rules" in said
    assert "There are more" in said


def test_show_tells_all_fields_and_the_event_with_shortened_digests(dead_site: Site) -> None:
    shown = dead_site.json("dead", "show", dead_site.letter_ids()[0])

    assert shown.keys() == CONTRACT | {"event"}
    assert shown["event"]["user_data"]["em"] == f"{DIGEST[:12]}..."


def test_show_for_a_person_has_cause_fix_and_event(dead_site: Site) -> None:
    said = dead_site.run("dead", "show", dead_site.letter_ids()[0]).stdout

    assert "Correct the fields" in said
    assert '"shop": "north"' in said
    assert DIGEST not in said


def test_an_undecodable_entry_is_shown_by_size_and_digest_only(site: Site) -> None:
    site.enqueue(lead())
    raw = b"\xff ada@example.com"
    site.store._connection.command("XADD", f"capi1:{{s0}}:q:{DATASET}/0", "*", "e", raw)
    site.work()
    (letter_id,) = site.letter_ids()
    shown = site.json("dead", "show", letter_id)

    assert (shown["reason"], shown["size_bytes"], shown["sha256"]) == ("undecodable", len(raw), sha256(raw).hexdigest())
    assert "ada" not in site.run("dead", "show", letter_id).output


def test_a_dead_letter_that_is_not_there_exits_with_one(dead_site: Site) -> None:
    assert "no dead letter 1-1" in dead_site.run("dead", "show", "1-1", code=1).stderr


def test_an_id_of_two_datasets_needs_the_dataset(site: Site) -> None:
    for dataset_id in (DATASET, OTHER):
        site.enqueue(lead(), dataset_id=dataset_id)
        site.store._connection.command("XADD", f"capi1:{{s0}}:dead:{dataset_id}", "5-5", "e", "{}", "m", "", "r", "{}")

    assert f"one of {DATASET}, {OTHER}" in site.run("dead", "show", "5-5", code=2).stderr
    assert site.json("dead", "show", "5-5", "--dataset", OTHER)["dataset_id"] == OTHER


def test_replay_puts_the_chosen_ones_back(dead_site: Site) -> None:
    told = dead_site.json("dead", "replay", "--dataset", DATASET, "--reason", "invalid")

    counts = {name: told[name] for name in ("replayed", "gone", "not_replayable", "unknown", "dry_run")}
    assert counts == {"replayed": 2, "gone": 0, "not_replayable": 0, "unknown": [], "dry_run": False}
    assert dead_site.json("status")["datasets"][DATASET]["waiting"] == 2


def test_replay_warns_of_what_becomes_a_dead_letter_again(dead_site: Site) -> None:
    said = dead_site.run("dead", "replay", "--dataset", DATASET, "--reason", "invalid").stdout

    assert said.startswith("replayed 2\nSome become dead letters again")
    assert "2 would be invalid: shop unknown_key\n" in said


def test_replay_run_twice_replays_each_once(dead_site: Site) -> None:
    dead_site.run("dead", "replay", "--all")

    assert dead_site.run("dead", "replay", "--all").stdout == "replayed 0\n"
    assert dead_site.json("status")["totals"]["replayed"] == 3
    dead_site.run("reconcile")


def test_replay_takes_single_ids(dead_site: Site) -> None:
    first, second = dead_site.letter_ids()
    dead_site.run("dead", "replay", "--id", second)

    assert dead_site.letter_ids() == [first]


@pytest.mark.parametrize("words", [("replay",), ("purge", "--yes")])
def test_an_id_that_is_no_dead_letters_is_named_and_exits_with_one(dead_site: Site, words: tuple[str, ...]) -> None:
    first, second = dead_site.letter_ids()
    done = dead_site.run("dead", *words, "--id", "1-1", "--id", first, "--id", "2-2", code=1)

    assert "there is no dead letter 1-1" in done.stderr
    assert "there is no dead letter 2-2" in done.stderr
    assert first not in done.stderr
    assert dead_site.letter_ids() == [second]
    assert dead_site.json("dead", *words, "--id", "1-1", code=1)["unknown"] == ["1-1"]


def test_the_list_fits_a_terminal_of_80_columns(dead_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_PIPED_WIDTH", 80)
    said = dead_site.run("dead", "list").stdout
    rows = [line for line in said.splitlines() if line.startswith("1")]

    assert max(map(len, said.splitlines())) <= 80
    assert len(rows) == 3  # one line a letter: no cell is broken
    assert said.count("breaks one of Meta's documented rules") == 1


def test_a_dry_run_only_counts(dead_site: Site) -> None:
    assert dead_site.run("dead", "replay", "--all", "--dry-run").stdout.startswith("would replay 3\n")
    assert dead_site.run("dead", "purge", "--all", "--dry-run").stdout == "would purge 3\n"
    assert len(dead_site.json("dead", "list")) == 3


def test_what_cannot_be_replayed_stays_and_is_told(site: Site) -> None:
    site.enqueue(lead())
    site.store._connection.command("XADD", f"capi1:{{s0}}:q:{DATASET}/0", "*", "e", b"\xff")
    site.work()

    assert site.json("dead", "replay", "--all")["not_replayable"] == 1
    assert "1 cannot be replayed" in site.run("dead", "replay", "--all").stdout


def test_purge_deletes_the_chosen_ones(dead_site: Site) -> None:
    assert dead_site.json("dead", "purge", "--dataset", DATASET, "--yes") == {
        "purged": 2,
        "unknown": [],
        "dry_run": False,
    }
    assert [letter["dataset_id"] for letter in dead_site.json("dead", "list")] == [OTHER]
    dead_site.run("reconcile")


def test_purge_asks_before_it_deletes(dead_site: Site) -> None:
    done = dead_site.run("dead", "purge", "--all", code=1, stdin="n\n")

    assert "Delete 3 dead letter(s) for good?" in done.stderr
    assert len(dead_site.json("dead", "list")) == 3


def test_purge_does_what_was_confirmed(dead_site: Site) -> None:
    assert dead_site.run("dead", "purge", "--all", stdin="y\n").stdout == "purged 3\n"


def test_an_export_holds_the_letters_with_their_events(dead_site: Site, tmp_path: Path) -> None:
    target = tmp_path / "dead.jsonl"
    dead_site.run("dead", "export", str(target), "--reason", "invalid")
    letters = [json.loads(line) for line in target.read_text().splitlines()]

    assert [letter["event"]["event_id"] for letter in letters] == ["bad-1", "bad-2"]
    assert letters[0]["event"]["user_data"]["em"] == DIGEST
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_export_can_be_sent_again(dead_site: Site) -> None:
    exported = dead_site.run("dead", "export", "-").stdout
    told = dead_site.json("send", "-", stdin=exported)

    assert (told["accepted"], told["refused"]) == (3, 0)
    assert dead_site.json("status")["datasets"][OTHER]["waiting"] == 1


def test_a_file_that_cannot_be_written_is_a_misuse(site: Site) -> None:
    done = site.run("dead", "export", "/nonexistent/letters.jsonl", code=2)

    assert "cannot be written: No such file or directory" in done.stderr


def test_purge_reads_once_and_deletes_page_by_page_without_asking(
    dead_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_site.enqueue(*(lead(f"many-{number}") for number in range(2100)))
    dead_site.work("crashed")
    pages, read = list[int](), list[str]()
    purge_page, read_all = DeadStore.purge, DeadStore.read

    def counting_purge(store: DeadStore, dataset_id: str, letter_ids: Sequence[str]) -> int:
        pages.append(len(letter_ids))
        return purge_page(store, dataset_id, letter_ids)

    def counting_read(store: DeadStore, dataset_id: str, *, since_ms: int = 0) -> Iterator[StoredDeadLetter]:
        read.append(dataset_id)
        return read_all(store, dataset_id, since_ms=since_ms)

    monkeypatch.setattr(DeadStore, "purge", counting_purge)
    monkeypatch.setattr(DeadStore, "read", counting_read)
    done = dead_site.run("dead", "purge", "--reason", "crashed", "--dataset", DATASET, "--yes")

    assert done.stdout == "purged 2100\n"
    assert (pages, read) == ([1000, 1000, 100], [DATASET])
    monkeypatch.undo()
    dead_site.run("reconcile")
