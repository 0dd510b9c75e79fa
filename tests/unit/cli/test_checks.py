import pytest

from capi_relay.errors import MisconfiguredError
from worker.cli.checks import Finding, findings_of_error, of_graph, of_server, of_transport, place_of

FINE = {"redis_version": "7.2.4", "maxmemory": "0", "maxmemory-policy": "noeviction", "appendonly": "yes"}


def levels(**said: str) -> dict[str, str]:
    return {finding.subject: finding.level for finding in of_server(FINE | said)}


def test_a_server_as_it_should_be_is_fine() -> None:
    assert set(levels().values()) == {"ok"}


@pytest.mark.parametrize("version", ["6.2.14", "5.0", "", "odd"])
def test_a_server_older_than_its_scripts_need_is_a_problem(version: str) -> None:
    assert levels(redis_version=version)["server version"] == "problem"


@pytest.mark.parametrize("version", ["7.0.0", "8.2.1", "10.0"])
def test_a_newer_server_is_fine(version: str) -> None:
    assert levels(redis_version=version)["server version"] == "ok"


def test_a_server_that_evicts_is_a_problem_where_it_has_a_limit() -> None:
    assert levels(**{"maxmemory": "1000", "maxmemory-policy": "allkeys-lru"})["eviction"] == "problem"
    assert levels(**{"maxmemory-policy": "allkeys-lru"})["eviction"] == "ok"


def test_a_server_that_forgets_is_worth_a_warning() -> None:
    assert levels(appendonly="no")["persistence"] == "warning"


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
