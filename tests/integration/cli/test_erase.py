from hashlib import sha256
from typing import Any

import pytest

from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead

DIGEST = sha256(b"ada@example.com").hexdigest()


@pytest.fixture
def ada(site: Site) -> Site:
    """Return a site with a dead letter of ada's, two events of hers that wait, and one of somebody else."""
    site.enqueue(bad("bad-1"))
    site.work()
    site.enqueue(lead("a"), lead("b", user_data={"em": "bob@example.com"}))
    site.enqueue(lead("c", user_data={"external_id": "cust-7", "em": "ada@example.com"}), dataset_id=OTHER)
    return site


def test_a_person_is_erased_everywhere_and_the_counts_balance(ada: Site) -> None:
    told = ada.json("erase", "--email", "Ada@Example.com")

    assert told["totals"] == {"waiting": 2, "dead_letters": 1, "left_meanwhile": 0, "not_reached": 0}
    assert told["datasets"][OTHER]["waiting"] == 1
    assert told["not_covered"]
    ada.run("reconcile")
    assert ada.json("status")["totals"]["doors"]["erased"] == 2
    assert ada.json("status")["totals"]["waiting"] == 1
    assert ada.json("dead", "list") == []


def test_nothing_that_is_stored_names_the_person_afterwards(ada: Site) -> None:
    ada.run("erase", "--email", "ada@example.com")
    client: Any = ada.store._connection.client
    found = [str(entry) for key in client.keys("*") if client.type(key) == b"stream" for entry in client.xrange(key)]

    assert len(found) == 1
    assert DIGEST not in "".join(found)


@pytest.mark.parametrize("words", [("--email", "-"), ("--hash", "-")])
def test_the_value_can_come_from_stdin_and_is_not_repeated(ada: Site, words: tuple[str, str]) -> None:
    value = DIGEST if words[0] == "--hash" else "ada@example.com"
    done = ada.run("erase", *words, stdin=f"{value}\n")

    assert "erased 2 waiting event(s) and 1 dead letter(s)" in done.stdout
    assert value not in done.output


def test_one_dataset_alone_can_be_erased_from(ada: Site) -> None:
    assert ada.json("erase", "--external-id", "cust-7", "--dataset", DATASET)["totals"]["waiting"] == 0
    assert ada.json("erase", "--external-id", "cust-7", "--dataset", OTHER)["totals"]["waiting"] == 1


def test_a_dry_run_only_counts_and_says_what_is_not_reached(ada: Site) -> None:
    said = ada.run("erase", "--email", "ada@example.com", "--dry-run").stdout

    assert "would erase 2 waiting event(s) and 1 dead letter(s)" in said
    assert "- what Meta has already" in said
    assert ada.json("status")["totals"]["waiting"] == 3


def test_what_is_under_way_all_the_time_exits_with_one(ada: Site) -> None:
    assert ada.store.lanes.claim(ada.store.lanes.look(), max_events=1, max_bytes=1_000_000)
    assert ada.store.lanes.claim(ada.store.lanes.look(), max_events=1, max_bytes=1_000_000)
    done = ada.run("erase", "--email", "ada@example.com", "--wait", "0", code=1)

    assert "2 are still on their way: run this again" in done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "say whom"),
        (("--email", "-", "--phone", "-"), "only one value can come from stdin"),
        (("--email", "s3cret"), "--email: it does not look like one e-mail address"),
        (("--phone", "0123"), "--phone: it has no country code"),
        (("--phone", "020 7946 0123"), "write it as +<code><number>, or give its --country"),
        (("--phone", "020 7946 0123", "--country", "UK1"), "two-letter code"),
        (("--external-id", " "), "--external-id: it is empty"),
        (("--hash", "s3cret"), "--hash: it is no SHA-256"),
    ],
)
def test_misuse_is_told_without_the_value(site: Site, words: tuple[str, ...], why: str) -> None:
    done = site.run("erase", *words, code=2)

    assert why in done.stderr
    assert "s3cret" not in done.output
