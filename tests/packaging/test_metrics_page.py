"""The metrics' page, alert rules, dashboard and runbook name the same things as the register."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.system import needed
from worker.metrics.__main__ import PAGE, TABLES, rewritten
from worker.metrics.register import ALL
from worker.metrics.samples import _PAUSES

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "capi-relay.json"
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES.read_text(), re.MULTILINE)


def queries() -> Iterator[str]:
    """Yield every query of the dashboard."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def names_in(text: str) -> set[str]:
    """Return the metrics that a text names, a histogram's by its own name."""
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\bcapi_[a-z_]+", text)}


def headings(page: str, level: str) -> list[str]:
    _, _, rest = (ROOT / "docs" / page).read_text().partition("\n## Alerts\n")
    return re.findall(rf"^{level} (\w+)$", rest.partition("\n## ")[0], re.MULTILINE)


def promtool(*words: str) -> str:
    done = subprocess.run(
        [needed("promtool"), *words], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_is_what_the_register_says() -> None:
    assert PAGE.read_text() == rewritten(PAGE.read_text()), "run python -m worker.metrics"


def test_every_metric_is_in_a_table_of_the_page() -> None:
    listed = [metric for table in TABLES.values() for metric in table]

    assert sorted(metric.name for metric in listed) == sorted(metric.name for metric in ALL)
    assert set(re.findall(r"<!-- metrics:(\w+) -->", PAGE.read_text())) == set(TABLES)


def test_alerts_and_dashboard_ask_for_registered_metrics_only() -> None:
    known = {metric.name for metric in ALL}

    assert names_in(RULES.read_text()) - known == set()
    assert names_in(" ".join(queries())) - known == set()


def test_every_alert_has_a_part_of_the_runbook_and_links_to_it() -> None:
    links = re.findall(r"runbook_url: docs/runbook\.md#(\w+)$", RULES.read_text(), re.MULTILINE)

    assert headings("runbook.md", "###") == ALERTS
    assert links == [name.lower() for name in ALERTS]


def test_every_alert_is_seen_to_fire() -> None:
    tests = (ROOT / "tests" / "packaging" / "alerts_test.yml").read_text()
    fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", tests))

    assert fired == set(ALERTS)


def test_every_reason_of_a_pause_in_the_runbook_is_a_label() -> None:
    section = (
        (ROOT / "docs" / "runbook.md").read_text().partition("\n## A dataset is paused\n")[2].partition("\n## ")[0]
    )

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(_PAUSES)


def test_the_dashboard_has_no_panel_without_a_query_or_a_word_of_explanation() -> None:
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]

    assert all(panel["targets"] and panel["description"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_promtool_takes_the_rules_and_the_example_of_a_configuration() -> None:
    assert "SUCCESS" in promtool("check", "config", "deploy/prometheus/prometheus.yml")


def test_the_alerts_fire_when_they_must_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", "tests/packaging/alerts_test.yml")
