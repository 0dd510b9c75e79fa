"""What holds for all commands alike: help, misuse, wrong settings, an event store that is away."""

from pathlib import Path

import pytest

from tests.integration.cli.commands import Site, lead, lines

NAMES = (
    *(
        ("check",),
        ("up",),
        ("demo",),
        ("send",),
        ("validate",),
        ("status",),
        ("pause",),
        ("resume",),
        ("reconcile",),
        ("erase",),
    ),
    *(("dead", "list"), ("dead", "show"), ("dead", "replay"), ("dead", "purge"), ("dead", "export")),
    *(("dead", "groups"), ("dead", "edit")),
)
ON_A_STORE = (
    *(("status",), ("status", "--json"), ("reconcile",), ("reconcile", "--json"), ("up",)),
    ("erase", "--email", "a@b.example"),
    *(("pause", "1"), ("resume", "1"), ("dead", "list"), ("dead", "list", "--json"), ("dead", "show", "1-0")),
    *(("dead", "replay", "--all"), ("dead", "purge", "--all", "--yes"), ("dead", "export", "-")),
    *(("status", "--watch"), ("dead", "groups"), ("dead", "edit", "1-0", "--unset", "shop")),
)
MISUSE = (
    *(
        ("no-such-command",),
        ("status", "--no-such-option"),
        ("status", "--watch", "--json"),
        ("status", "--watch", "--quality"),
        ("status", "--watch", "--interval", "0"),
        ("status", "--dataset", "x"),
        ("dead", "list", "--limit", "0"),
    ),
    *(("send",), ("send", "/no/such/file", "--dataset", "1"), ("validate",), ("validate", "/no/such/file")),
    *(("send", "-", "--dataset", "one"), ("send", "-", "--dataset", "1", "--wait", "-1")),
    *(("send", "-", "--dataset", "1", "--now"), ("send", "-", "--dataset", "1", "--test-event-code", "T")),
    *(
        ("pause",),
        ("pause", "one"),
        ("pause", "1", "--for", "0"),
        ("pause", "1", "--for", "soon"),
        ("pause", "1", "--for", "nan"),
        ("pause", "1", "--for", "inf"),
        ("status", "--watch", "--interval", "nan"),
        ("erase", "--email", "ada@example.com", "--wait", "nan"),
        ("resume", "9" * 33),
    ),
    *(
        ("dead", "show"),
        ("dead", "show", "newest"),
        ("dead", "list", "--reason", "sad"),
        ("dead", "list", "--dataset", "x"),
    ),
    *(
        ("dead", "replay"),
        ("dead", "purge", "--yes"),
        ("dead", "replay", "--all", "--dataset", "1"),
        ("dead", "export"),
    ),
)


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_every_command_has_a_help_with_an_example(site: Site, words: tuple[str, ...]) -> None:
    said = site.run(*words, "--help").stdout

    assert "Example" in said
    assert f"python -m worker {words[0]}" in said


@pytest.mark.parametrize("words", MISUSE, ids=" ".join)
def test_misuse_is_told_on_stderr_and_exits_with_two(site: Site, words: tuple[str, ...]) -> None:
    done = site.run(*words, code=2)

    assert done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("words", ON_A_STORE, ids=" ".join)
def test_a_store_that_is_away_is_told_in_one_sentence_and_exits_with_one(
    site: Site, words: tuple[str, ...], tmp_path: Path
) -> None:
    done = site.run(*words, code=1, env={"CAPI_REDIS_URL": f"unix://{tmp_path}/nobody.sock"})

    assert done.stderr.startswith("Error: the event store could not run PING: ")
    assert done.stdout == ""


def test_wrong_settings_are_told_all_at_once_and_exit_with_two(site: Site) -> None:
    done = site.run("status", code=2, env={"CAPI_SHARDS": "many", "CAPI_LINGER_SECONDS": "-1"})

    assert "CAPI_SHARDS" in done.stderr
    assert "CAPI_LINGER_SECONDS" in done.stderr


def test_another_number_of_shards_than_the_store_has_exits_with_two(site: Site) -> None:
    assert site.store.shards == 1

    assert "CAPI_SHARDS is 2" in site.run("status", code=2, env={"CAPI_SHARDS": "2"}).stderr


def test_a_datasets_file_that_is_broken_hides_no_event(site: Site) -> None:
    site.enqueue(lead())
    site.file("[[dataset", name="datasets.toml")

    assert "1001" in site.run("status").stdout


def test_sending_with_a_broken_datasets_file_exits_with_two(site: Site) -> None:
    site.file("[[dataset", name="datasets.toml")

    assert "datasets.toml" in site.run("send", "-", "--dataset", "1", code=2, stdin=lines(lead())).stderr


def test_the_version_is_the_producers(site: Site) -> None:
    assert site.run("--version").stdout.startswith("capi-relay ")
