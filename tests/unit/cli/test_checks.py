import pytest

from capi_relay.errors import MisconfiguredError
from worker.cli.checks import of_failpoint, of_flower, of_graph
from worker.cli.checks_store import of_dead_letters, of_memory_of_deliveries, of_strangers, of_workers
from worker.cli.checks_url import of_transport, place_of
from worker.doctor.finding import Finding, findings_of_error
from worker.store import DatasetCounts


def counts(dataset_id: str, *, stored: int = 0, dead_letters: int = 0) -> DatasetCounts:
    return DatasetCounts(dataset_id, 0, {}, stored, 0, None, dead_letters, None)


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("redis://store.example.com:6379/0", "encryption and a password"),
        ("redis://:secret@store.example.com/0", "encryption"),
        ("rediss://store.example.com/0", "a password"),
    ],
)
def test_a_server_elsewhere_wants_a_password_and_encryption(url: str, missing: str) -> None:
    (finding,) = of_transport("event store", url)

    assert finding.level == "warning"
    assert finding.finding.endswith(f"without {missing}")


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379",
        "redis://localhost/0",
        "redis://[::1]/0",
        "unix:///run/redis.sock",
        "rediss://a:b@far/0",
    ],
)
def test_a_server_of_this_machine_or_behind_a_password_and_tls_needs_nothing(url: str) -> None:
    assert list(of_transport("event store", url)) == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://user:hunter2@host:6379/1?password=hunter2", "redis://host:6379/1"),
        ("unix://user:hunter2@/run/redis.sock?password=hunter2", "unix:///run/redis.sock"),
        ("redis+socket://:hunter2@/run/redis.sock", "redis+socket:///run/redis.sock"),
        ("sentinel://:hunter2@one:26379;sentinel://:hunter2@two:26379", "sentinel://one:26379"),
        ("rediss://[::1]:6380/0", "rediss://[::1]:6380/0"),
    ],
)
def test_a_place_shows_no_user_password_or_option(url: str, place: str) -> None:
    assert place_of(url) == place


def test_events_that_go_elsewhere_than_to_meta_are_worth_a_warning() -> None:
    assert of_graph("https://graph.facebook.com", "v23.0").level == "ok"
    assert of_graph("http://127.0.0.1:8090", "v23.0").level == "warning"


def test_each_problem_of_a_message_becomes_a_finding() -> None:
    error = MisconfiguredError("2 setting(s) to correct:\n  CAPI_SHARDS: expected 1\n  the file x is not TOML: why")

    assert list(findings_of_error("settings", error)) == [
        Finding("problem", "settings", "CAPI_SHARDS: expected 1", "Correct CAPI_SHARDS as the finding says."),
        Finding("problem", "settings", "the file x is not TOML: why", "Correct it as the finding says."),
    ]


def test_a_message_of_one_line_becomes_one_finding() -> None:
    (finding,) = findings_of_error("event store", MisconfiguredError("CAPI_SHARDS is 2, but the store says 1"))

    assert finding.finding == "CAPI_SHARDS is 2, but the store says 1"


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, None),
        ({"FLOWER_BASIC_AUTH": "a:b"}, None),
        ({"FLOWER_ADDRESS": "localhost"}, None),
        ({"FLOWER_ADDRESS": "10.0.0.1"}, "problem"),
        ({"FLOWER_ADDRESS": "10.0.0.1", "FLOWER_BASIC_AUTH": "admin"}, "problem"),
        ({"FLOWER_ADDRESS": "10.0.0.1", "FLOWER_BASIC_AUTH": "admin:hunter2"}, "warning"),
        ({"FLOWER_ADDRESS": "10.0.0.1", "FLOWER_BASIC_AUTH_FILE": "/nowhere"}, "problem"),
        ({"FLOWER_ADDRESS": "10.0.0.1", "FLOWER_BASIC_AUTH": "admin:correct-horse-battery"}, "ok"),
    ],
)
def test_flowers_password_is_looked_at_where_others_reach_it(environ: dict[str, str], level: str | None) -> None:
    found = list(of_flower(environ))

    assert [finding.level for finding in found] == ([level] if level else [])
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(("dataset_id", "stored", "strange"), [("1", 5, False), ("2", 0, False), ("3", 1, True)])
def test_only_events_that_wait_make_a_stranger_worth_a_warning(dataset_id: str, stored: int, strange: bool) -> None:  # noqa: FBT001 - a case
    assert bool(list(of_strangers(counts(dataset_id, stored=stored), {"1"}))) == strange


@pytest.mark.parametrize(
    ("dead_letters", "drops", "levels"),
    [
        (79, False, []),
        (80, False, ["warning"]),
        (99, False, ["warning"]),
        (100, False, ["problem"]),
        (100, True, ["warning"]),
    ],
)
def test_dead_letters_near_what_a_dataset_may_have_are_told(dead_letters: int, drops: bool, levels: list[str]) -> None:  # noqa: FBT001 - a case
    found = of_dead_letters(counts("1", dead_letters=dead_letters), 100, drops=drops)

    assert [finding.level for finding in found] == levels


@pytest.mark.parametrize(
    ("remembered", "cap_bytes", "level"),
    [(10, 4000, "ok"), (95, 4000, "warning"), (0, 0, "ok"), (100, 4000, "warning")],
)
def test_a_memory_of_deliveries_at_its_cap_is_worth_a_warning(remembered: int, cap_bytes: int, level: str) -> None:
    (finding,) = of_memory_of_deliveries(remembered, 7, cap_bytes)

    assert finding.level == level
    assert ("7 were forgotten" in finding.finding) == (level == "warning")


def test_nobody_at_work_is_worth_a_warning() -> None:
    assert of_workers([]).level == "warning"
    assert of_workers(["a:1", "b:2"]).finding == "2 alive: a:1, b:2"


def test_a_certificate_that_is_not_checked_is_worth_a_warning() -> None:
    (finding,) = of_transport("event store", "rediss://u:p@far/0?ssl_cert_reqs=none")

    assert finding.level == "warning"


def test_a_failpoint_left_behind_is_a_problem() -> None:
    assert [finding.level for finding in of_failpoint({"CAPI_FAILPOINT": "after_post"})] == ["problem"]
    assert list(of_failpoint({})) == []
