"""Which dead letters a command means: ids that two datasets have, from before a clock was set back, or given twice."""

import os
import subprocess
import sys

import pytest
from redis import Redis

from capi_relay import keys
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead

SAME = "1764000000000-0"


@pytest.fixture
def dead_site(site: Site) -> Site:
    """Return a site with one dead letter of each of two datasets."""
    for dataset_id in (DATASET, OTHER):
        site.enqueue(bad(), dataset_id=dataset_id)
        site.work()
    return site


def give_id(site: Site, letter_id: str, *dataset_ids: str) -> None:
    """Give the only dead letter of each dataset another id."""
    with Redis.from_url(site.env["CAPI_REDIS_URL"]) as redis:
        for dataset_id in dataset_ids:
            name = keys.dead(0, dataset_id)
            ((_, fields),) = redis.xrange(name)
            redis.delete(name)
            redis.xadd(name, fields, id=letter_id)


@pytest.mark.parametrize("command", [("purge", "--yes"), ("replay",), ("purge", "--dry-run"), ("replay", "--dry-run")])
def test_an_id_that_two_datasets_have_is_refused_until_one_is_named(dead_site: Site, command: tuple[str, ...]) -> None:
    give_id(dead_site, SAME, DATASET, OTHER)
    refused = dead_site.run("dead", *command, "--id", SAME, code=2).stderr
    kept = [dead_site.letter_ids(each) for each in (DATASET, OTHER)]
    done = dead_site.json("dead", *command, "--id", SAME, "--dataset", OTHER)

    assert f"--dataset, one of {DATASET}, {OTHER}" in refused
    assert kept == [[SAME], [SAME]]
    assert done.get("purged", done.get("replayed")) == 1
    assert dead_site.letter_ids(DATASET) == [SAME]


def test_a_letter_from_before_the_servers_clock_was_set_back_is_listed_shown_and_purged(dead_site: Site) -> None:
    ahead = "4000000000000-0"
    give_id(dead_site, ahead, DATASET)

    assert ahead in [letter["id"] for letter in dead_site.json("dead", "list")]
    assert dead_site.json("dead", "show", ahead)["id"] == ahead
    assert dead_site.json("dead", "purge", "--id", ahead, "--yes")["purged"] == 1


@pytest.mark.parametrize("command", ["purge", "replay"])
def test_an_id_that_is_given_twice_counts_once(dead_site: Site, command: str) -> None:
    (letter_id,) = dead_site.letter_ids()
    told = dead_site.json("dead", command, "--id", letter_id, "--id", letter_id, "--dry-run")

    assert told.get("purged", told.get("replayed")) == 1


def test_a_name_that_the_terminal_has_no_letters_for_is_spelled_out(site: Site) -> None:
    site.enqueue(lead(event_name="Käufe", shop="north"))
    site.work()
    environ = {**os.environ, **site.env, "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "worker", "dead", "list"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert r"K\xe4ufe" in done.stdout
