import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.fakes.server import EmbeddedServer, free_port
from tests.fakes.simulator import ROOT, Simulator
from tests.integration.cli.commands import DATASET, OTHER, TOKEN, Site, lead
from tests.integration.graph.servers import Certificates
from worker.cli.checks_meta import of_tls


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Return a server that wants a password."""
    with EmbeddedServer(tmp_path / "locked") as server, redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetpass", ">correct")
        yield server


def levels(site: Site, **env: str) -> dict[str, str]:
    done = site.run("check", "--offline", "--json", env=env)
    return {finding["subject"]: finding["level"] for finding in json.loads(done.stdout)}


def test_every_finding_has_level_subject_finding_and_fix(site: Site) -> None:
    findings = site.json("check", "--offline")

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
        found = json.loads(site.run("check", "--offline", "--json", code=1, env={"CAPI_REDIS_URL": server.url}).stdout)

    assert [finding["subject"] for finding in found if finding["level"] == "problem"] == ["eviction"]


def test_a_worker_does_not_start_on_a_server_that_evicts(site: Site, tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "s", maxmemory="64mb") as server, redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        done = subprocess.run(
            [sys.executable, "-m", "tasks"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **site.env, "CAPI_REDIS_URL": server.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert "capi-relay cannot start: 1 thing(s) to correct:\n  eviction: maxmemory-policy is allkeys-lru" in done.stderr


def test_wrong_settings_are_told_as_problems_and_exit_with_two_as_everywhere(site: Site) -> None:
    done = site.run("check", "--offline", "--json", code=2, env={"CAPI_SHARDS": "many", "CAPI_GRAPH_VERSION": "latest"})

    assert [finding["finding"].partition(":")[0] for finding in json.loads(done.stdout)] == [
        "CAPI_GRAPH_VERSION",
        "CAPI_SHARDS",
    ]


def test_a_broken_datasets_file_is_a_problem(site: Site) -> None:
    site.file("[[dataset", name="datasets.toml")

    assert [
        finding["subject"] for finding in site.json("check", "--offline", code=1) if finding["level"] == "problem"
    ] == ["datasets"]


def test_servers_that_are_away_are_problems_and_no_password_is_shown(site: Site) -> None:
    url = "redis://user:hunter2@127.0.0.1:1/0"
    done = site.run("check", "--offline", "--json", code=1, env={"CAPI_REDIS_URL": url})
    problems = [finding["subject"] for finding in json.loads(done.stdout) if finding["level"] == "problem"]

    assert problems == ["event store", "broker"]
    assert "hunter2" not in done.output


@pytest.mark.parametrize("login", [":hunter2@", "nobody:hunter2@", ""])
def test_a_refused_login_is_told_as_such_for_the_store_and_for_the_broker(
    site: Site, locked: EmbeddedServer, login: str
) -> None:
    url = locked.url.replace("unix://", f"unix://{login}")
    both = json.loads(site.run("check", "--offline", "--json", code=1, env={"CAPI_REDIS_URL": url}).stdout)
    broker = json.loads(site.run("check", "--offline", "--json", code=1, env={"CELERY_BROKER_URL": url}).stdout)
    problems = [each for each in (*both, *broker) if each["level"] == "problem"]

    assert [each["subject"] for each in problems] == ["event store", "broker", "broker"]
    assert all("AuthenticationError" in each["finding"] for each in problems)
    assert [each["fix"].split(". ")[0] for each in problems] == [
        "Correct the user and the password in CAPI_REDIS_URL",
        "Correct the user and the password in CAPI_REDIS_URL",
        "Correct the user and the password in CELERY_BROKER_URL",
    ]
    assert "hunter2" not in str(problems)


@pytest.mark.parametrize("name", ["CAPI_REDIS_URL", "CELERY_BROKER_URL"])
def test_a_url_with_a_password_as_it_is_tells_how_to_write_it(site: Site, name: str) -> None:
    done = site.run("check", "--offline", code=2, env={name: "redis://:hunter2/#@127.0.0.1:6379/0"})

    assert "percent-encoded: %40 for @" in done.stdout
    assert "hunter2" not in done.output


def test_the_embedded_store_that_does_not_run_says_how_to_start_it(site: Site) -> None:
    done = site.run("check", "--offline", code=1, env={"CAPI_REDIS_URL": ""})

    assert "python -m worker up" in done.stdout


def test_no_token_is_shown(site: Site) -> None:
    assert TOKEN not in site.run("check", "--offline").output + site.run("check", "--offline", "--json").output


def test_a_person_sees_each_problem_with_its_fix(site: Site) -> None:
    said = site.run("check", "--offline").stdout

    assert f"warning dataset {OTHER}: has no access token\n        Give it token" in said


def test_events_of_a_dataset_that_is_configured_nowhere_are_worth_a_warning_with_the_known_ids(site: Site) -> None:
    site.enqueue(lead(), dataset_id="10011")
    (finding,) = (each for each in site.json("check", "--offline") if each["subject"] == "dataset 10011")

    assert finding["level"] == "warning"
    assert finding["finding"] == f"1 event(s) wait, and it is not configured; configured: {DATASET}, {OTHER}"


def test_a_flower_that_others_reach_without_a_password_is_a_problem(site: Site) -> None:
    done = site.run("check", "--offline", "--json", code=1, env={"FLOWER_ADDRESS": "0.0.0.0"})  # noqa: S104 - that is the point

    assert [each["subject"] for each in json.loads(done.stdout) if each["level"] == "problem"] == ["Flower"]


def test_meta_is_asked_about_each_token_and_takes_nothing(site: Site) -> None:
    site.file(
        "".join(
            f'[[dataset]]\nid = "{name}"\ntoken = "{token}"\n'
            for name, token in {"1": "good", "2": "dead", "3": "good"}.items()
        ),
        name="datasets.toml",
    )
    with Simulator({"1": "good"}) as meta:
        done = site.run("check", "--json", code=1, env={"CAPI_GRAPH_URL": meta.url})
        taken = meta.ledger()["accepted_requests"]
    found = {each["subject"]: each for each in json.loads(done.stdout) if each["subject"].startswith("dataset ")}

    assert taken == 0
    assert {name: each["level"] for name, each in found.items()} == {
        "dataset 1": "ok",
        "dataset 2": "problem",
        "dataset 3": "problem",
    }
    assert "code 190" in found["dataset 2"]["finding"]
    assert "code 100/33" in found["dataset 3"]["finding"]


def test_an_endpoint_that_cannot_be_reached_is_one_problem_and_no_token_is_tried(site: Site) -> None:
    found = json.loads(
        site.run("check", "--json", code=1, env={"CAPI_GRAPH_URL": f"https://127.0.0.1:{free_port()}"}).stdout
    )

    assert [each["subject"] for each in found if each["level"] == "problem"] == ["TLS"]


def test_an_endpoint_whose_certificate_nobody_vouches_for_is_a_problem(tmp_path: Path) -> None:
    context = Certificates(tmp_path).server_context("IP:127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context))
        thread.start()
        finding = of_tls(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join(10)

    assert finding.level == "problem"
    assert "certificate" in finding.finding


def test_nobody_at_work_and_the_libraries_are_told(site: Site) -> None:
    found = levels(site)

    assert (found["workers"], found["libraries"], found["clock"]) == ("warning", "ok", "ok")


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        context.wrap_socket(connection, server_side=True).close()
