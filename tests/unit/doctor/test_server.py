import pytest

from worker.doctor.server import of_clock, of_expiry, of_server

FINE = {
    "redis_version": "7.2.4",
    "maxmemory": "1000",
    "used_memory": "100",
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "role": "master",
}


def levels(**said: str) -> dict[str, str]:
    found = list(of_server(FINE | {name.replace("maxmemory_policy", "maxmemory-policy"): said[name] for name in said}))
    assert all(finding.fix for finding in found if finding.level != "ok")
    return {finding.subject: finding.level for finding in found}


def test_a_server_as_it_should_be_is_fine() -> None:
    assert set(levels().values()) == {"ok"}


@pytest.mark.parametrize("version", ["6.2.14", "5.0", "", "odd"])
def test_a_server_older_than_its_scripts_need_is_a_problem(version: str) -> None:
    assert levels(redis_version=version)["server version"] == "problem"


@pytest.mark.parametrize("version", ["7.0.0", "8.2.1", "10.0"])
def test_a_newer_server_is_fine(version: str) -> None:
    assert levels(redis_version=version)["server version"] == "ok"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"])
def test_a_server_that_evicts_is_a_problem_where_it_has_a_limit_and_else_a_warning(policy: str) -> None:
    assert levels(maxmemory_policy=policy)["eviction"] == "problem"
    assert levels(maxmemory_policy=policy, maxmemory="0")["eviction"] == "warning"


def test_a_server_that_does_not_tell_its_policy_is_worth_a_warning() -> None:
    assert levels(maxmemory_policy="")["eviction"] == "warning"


def test_a_server_that_forgets_is_worth_a_warning() -> None:
    assert levels(appendonly="no")["persistence"] == "warning"


def test_a_server_that_cannot_write_its_file_is_a_problem() -> None:
    assert levels(aof_last_write_status="err")["persistence"] == "problem"


@pytest.mark.parametrize(
    ("used", "most", "level"), [("100", "1000", "ok"), ("800", "1000", "warning"), ("1", "0", "warning")]
)
def test_little_room_and_no_limit_are_worth_a_warning(used: str, most: str, level: str) -> None:
    assert levels(used_memory=used, maxmemory=most)["memory"] == level


def test_a_replica_is_a_problem() -> None:
    assert levels(role="slave")["role"] == "problem"


@pytest.mark.parametrize(
    ("skew_ms", "level"), [(0, "ok"), (1_900, "ok"), (-5_000, "warning"), (5_000, "warning"), (90_000, "problem")]
)
def test_a_clock_that_is_off_is_told_by_how_far(skew_ms: float, level: str) -> None:
    assert of_clock(skew_ms).level == level


def test_which_clock_is_ahead_is_said() -> None:
    assert "5.0 s behind the event store's" in of_clock(-5_000).finding


@pytest.mark.parametrize(
    ("version", "lazy", "told"),
    [("7.4.0", "no", True), ("7.4.0", "yes", False), ("7.4.0", None, False), ("8.0.1", "no", False)],
)
def test_an_expiry_that_blocks_is_told_where_it_is_not_the_default(version: str, lazy: str | None, told: bool) -> None:  # noqa: FBT001 - a case
    assert bool(list(of_expiry({"redis_version": version}, lazy))) == told
