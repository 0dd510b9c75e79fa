"""A real Prometheus scrapes a real relay: every query of the dashboard and every alert rule is asked of it."""

import json
import re
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.relay import wait_until
from tests.fakes.system import needed
from tests.integration.metrics.conftest import Day
from worker.metrics.register import ALL

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Prometheus:
    """A server with the rules of deploy/prometheus, that scrapes one address each second."""

    def __init__(self, folder: Path, target: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        rules = ROOT / "deploy" / "prometheus"
        config = (rules / "prometheus.yml").read_text()
        config = (
            config.replace("127.0.0.1:9108", target).replace("15s", "1s").replace("alerts.yml", f"{rules}/alerts.yml")
        )
        (folder / "prometheus.yml").write_text(config)
        with (folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    needed("prometheus"),
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    def ask(self, path: str, **words: str) -> Any:  # noqa: ANN401 - JSON
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(words)}", timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.ask("query", query=expression)["result"]
        return found

    def has(self, expression: str) -> bool:
        """Say whether a query finds anything; False too while the server does not answer yet."""
        try:
            return bool(self.query(expression))
        except OSError:
            return False


@pytest.fixture(scope="module")
def prometheus(day: Day, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    needed("prometheus")
    serving = subprocess.Popen(
        [sys.executable, "-m", "worker", "metrics", "--port", "0"],
        cwd=ROOT,
        env=day.relay.env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert serving.stderr is not None
    found = re.search(r"127\.0\.0\.1:\d+", serving.stderr.readline())
    assert found is not None
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), found[0])
    try:
        wait_until(lambda: server.has("count_over_time(capi_store_up[1m]) >= 4"), "four scrapes are stored")
        yield server
    finally:
        for process in (server.process, serving):
            process.terminate()
            process.wait(20)
        serving.stderr.close()


def dashboard_queries() -> list[tuple[str, str]]:
    panels = json.loads((ROOT / "deploy" / "grafana" / "capi-relay.json").read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


def test_every_query_of_the_dashboard_is_answered_and_finds_what_there_is(prometheus: Prometheus) -> None:
    empty = []
    for title, expression in dashboard_queries():
        asked = expression.replace("$job", "capi-relay").replace("$__rate_interval", "1m")
        if not prometheus.query(asked):
            empty.append(title)

    assert empty == []


def test_every_rule_is_evaluated_without_an_error_and_with_the_right_result(prometheus: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was evaluated")
    on = {rule["name"] for rule in rules() if rule.get("state") in ("pending", "firing")}

    assert [rule["name"] for rule in rules() if rule["health"] != "ok"] == []
    assert on == {"CapiDatasetPaused"}


def test_every_alerts_expression_may_be_asked_by_hand(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]

    assert len(rules) > 15
    assert all(isinstance(prometheus.query(rule["query"]), list) for rule in rules)


def test_every_metric_of_the_register_arrives_and_no_other(prometheus: Prometheus) -> None:
    names = [name for name in prometheus.ask("label/__name__/values") if name.startswith("capi_")]

    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in names} == {metric.name for metric in ALL}
