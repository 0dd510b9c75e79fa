"""Every line that the program may log stands in docs/logs.md with its level, and no other does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("capi_relay", "schemas", "worker", "tasks")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \| .+ \| .+ \|$", re.MULTILINE)


def log_calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Yield each call of a logger: ``log.info(...)``, ``_log.info(...)`` or ``logging.getLogger(...).info(...)``."""
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            logger = node.func.value
            is_named = isinstance(logger, ast.Name) and logger.id in {"log", "_log"}
            if is_named or (isinstance(logger, ast.Call) and "getLogger" in ast.unparse(logger.func)):
                yield path, node, "error" if node.func.attr == "exception" else node.func.attr


def test_every_line_begins_with_a_text_that_can_be_searched_for() -> None:
    built = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call, _ in log_calls()
        if not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    ]

    assert built == []


def test_the_page_has_every_line_with_its_level_and_no_other() -> None:
    logged = {(ast.literal_eval(call.args[0]), level) for _, call, level in log_calls()}
    page = set(ROW.findall((ROOT / "docs" / "logs.md").read_text()))

    assert page == logged
    assert len(logged) > 30


def test_no_line_carries_a_whole_event() -> None:
    forbidden = {"event", "events_", "body", "entry", "entries", "user_data", "token", "url", "exc_info"}
    carried = [
        f"{path.relative_to(ROOT)}:{call.lineno} {keyword.arg}"
        for path, call, _ in log_calls()
        for keyword in call.keywords
        if keyword.arg in forbidden and path.name != "observability.py"
    ]

    assert carried == []
