import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.test_deployments import PROCFILE, words_of
from worker.metrics.register import WAITING
from worker.settings import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
RELAY = list(yaml.safe_load_all((FOLDER / "relay.yaml").read_text()))
KEDA = yaml.safe_load((FOLDER / "keda.yaml").read_text())
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
DEPLOYMENTS = {
    each["metadata"]["name"].removeprefix("capi-relay-"): each for each in RELAY if each["kind"] == "Deployment"
}
# What a pod's grace must outlast beside the POST itself.
SETTLE_SECONDS = 10


def pod(name: str) -> Any:  # noqa: ANN401 - YAML
    return DEPLOYMENTS[name]["spec"]["template"]["spec"]


def container(name: str) -> Any:  # noqa: ANN401 - YAML
    (only,) = pod(name)["containers"]
    return only


def test_every_object_names_its_kind_version_and_place() -> None:
    for each in (*RELAY, KEDA):
        assert {"apiVersion", "kind", "metadata"} <= each.keys()
        assert each["metadata"]["namespace"] == "capi-relay"


def test_the_commands_are_those_of_the_procfile_and_of_compose() -> None:
    commands = {name: container(name)["command"] for name in DEPLOYMENTS}

    assert commands.keys() == {"worker", "beat", "metrics"}
    assert commands["worker"] == shlex.split(PROCFILE["worker"])
    assert commands["beat"] == shlex.split(PROCFILE["beat"])
    assert commands["metrics"] == words_of("metrics")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_has_no_right_that_it_does_not_need(name: str) -> None:
    inside = container(name)["securityContext"]

    assert pod(name)["automountServiceAccountToken"] is False
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(name)["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_is_mounted_is_there_and_selectors_find_their_pods(name: str) -> None:
    spec = DEPLOYMENTS[name]["spec"]
    volumes = {volume["name"] for volume in pod(name)["volumes"]}

    assert {mount["name"] for mount in container(name)["volumeMounts"]} == volumes
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


@pytest.mark.parametrize("name", ["beat", "metrics"])
def test_only_workers_have_the_datasets_with_their_tokens(name: str) -> None:
    assert "config" not in str(pod(name)["volumes"])


@pytest.mark.parametrize("name", ["beat", "metrics"])
def test_every_pod_writes_its_log_as_the_workers_do(name: str) -> None:
    (config,) = (each for each in RELAY if each["kind"] == "ConfigMap")
    given = {each["name"]: each["valueFrom"] for each in container(name)["env"]}

    assert container("worker")["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    assert given["CAPI_LOG_FORMAT"] == {
        "configMapKeyRef": {"name": config["metadata"]["name"], "key": "CAPI_LOG_FORMAT"}
    }
    assert config["data"]["CAPI_LOG_FORMAT"] == "json"


def test_a_worker_may_end_its_post_before_it_is_killed() -> None:
    grace_seconds = pod("worker")["terminationGracePeriodSeconds"]

    assert grace_seconds >= load({"CAPI_REDIS_URL": "redis://h"}).http_total_seconds + SETTLE_SECONDS
    assert f"terminationGracePeriodSeconds: {grace_seconds}" in PAGE


def test_no_probe_kills_a_worker_that_waits_for_redis() -> None:
    assert "livenessProbe" not in container("worker")


def test_the_readiness_probe_compiles_and_fails_where_nobody_is_alive() -> None:
    program, option, code = container("worker")["readinessProbe"]["exec"]["command"]
    done = subprocess.run(
        [sys.executable, option, code],
        cwd=ROOT,
        env={"CAPI_REDIS_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert program == "python"
    assert done.returncode == 1
    assert "StoreUnavailable" in done.stderr


def test_workers_are_scaled_by_a_metric_that_there_is() -> None:
    (trigger,) = KEDA["spec"]["triggers"]

    assert KEDA["spec"]["scaleTargetRef"]["name"] == DEPLOYMENTS["worker"]["metadata"]["name"]
    assert re.findall(r"capi_\w+", trigger["metadata"]["query"]) == [WAITING.name]
    assert WAITING.name in PAGE


def test_the_metrics_have_one_port_everywhere() -> None:
    (service,) = (each for each in RELAY if each["kind"] == "Service")
    (port,) = container("metrics")["ports"]

    assert service["spec"]["ports"][0]["port"] == port["containerPort"]
    assert service["spec"]["selector"] == DEPLOYMENTS["metrics"]["spec"]["selector"]["matchLabels"]
