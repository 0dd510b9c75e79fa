import json
from pathlib import Path

import redis

from tests.fakes.server import EmbeddedServer
from tests.integration.cli.commands import OTHER, TOKEN, Site


def levels(site: Site, **env: str) -> dict[str, str]:
    done = site.run("check", "--json", env=env)
    return {finding["subject"]: finding["level"] for finding in json.loads(done.stdout)}


def test_every_finding_has_level_subject_finding_and_fix(site: Site) -> None:
    findings = site.json("check")

    assert all(finding.keys() == {"level", "subject", "finding", "fix"} for finding in findings)
    assert all(finding["fix"] for finding in findings if finding["level"] != "ok")


def test_a_site_as_it_should_be_has_warnings_at_most(site: Site) -> None:
    assert set(levels(site).values()) == {"ok", "warning"}


def test_a_dataset_without_a_token_is_a_warning(site: Site) -> None:
    assert levels(site)[f"dataset {OTHER}"] == "warning"


def test_no_dataset_at_all_is_a_warning(site: Site) -> None:
    assert levels(site, CAPI_DATASETS="")["datasets"] == "warning"


def test_one_server_for_store_and_broker_is_a_warning(site: Site) -> None:
    assert levels(site)["broker"] == "warning"


def test_a_broker_of_its_own_is_fine(site: Site, own_store: EmbeddedServer) -> None:
    assert levels(site, CELERY_BROKER_URL=own_store.url)["broker"] == "ok"


def test_a_server_that_evicts_is_a_problem(site: Site, tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "s", maxmemory="64mb") as server, redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        found = json.loads(site.run("check", "--json", code=1, env={"CAPI_REDIS_URL": server.url}).stdout)

    assert [finding["subject"] for finding in found if finding["level"] == "problem"] == ["eviction"]


def test_wrong_settings_are_problems(site: Site) -> None:
    done = site.run("check", "--json", code=1, env={"CAPI_SHARDS": "many", "CAPI_GRAPH_VERSION": "latest"})

    assert [finding["finding"].partition(":")[0] for finding in json.loads(done.stdout)] == [
        "CAPI_GRAPH_VERSION",
        "CAPI_SHARDS",
    ]


def test_a_broken_datasets_file_is_a_problem(site: Site) -> None:
    site.file("[[dataset", name="datasets.toml")

    assert [finding["subject"] for finding in site.json("check", code=1) if finding["level"] == "problem"] == [
        "datasets"
    ]


def test_servers_that_are_away_are_problems_and_no_password_is_shown(site: Site) -> None:
    url = "redis://user:hunter2@127.0.0.1:1/0"
    done = site.run("check", "--json", code=1, env={"CAPI_REDIS_URL": url})
    problems = [finding["subject"] for finding in json.loads(done.stdout) if finding["level"] == "problem"]

    assert problems == ["event store", "broker"]
    assert "hunter2" not in done.output


def test_the_embedded_store_that_does_not_run_says_how_to_start_it(site: Site) -> None:
    done = site.run("check", code=1, env={"CAPI_REDIS_URL": ""})

    assert "python -m worker up" in done.stdout


def test_no_token_is_shown(site: Site) -> None:
    assert TOKEN not in site.run("check").output + site.run("check", "--json").output


def test_a_person_sees_each_problem_with_its_fix(site: Site) -> None:
    said = site.run("check").stdout

    assert f"warning dataset {OTHER}: has no access token\n        Give it token" in said
