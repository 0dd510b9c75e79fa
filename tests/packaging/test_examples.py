"""The docs and examples say what the code does: names, settings, files, links and snippets are compared with it."""

import ast
import re
import textwrap
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import capi_relay
from capi_relay.datasets import _EXPECTED, DatasetFile
from capi_relay.personal import protect
from capi_relay.wire import decode, encode
from schemas import problems_of
from worker.cli import main
from worker.cli.dead import group as dead
from worker.cli.dead_filter import REASONS
from worker.settings import load
from worker.store import DOORS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
APPS = sorted((ROOT / "examples").glob("*_app"))
SOURCES = sorted(path for name in ("capi_relay", "worker") for path in (ROOT / name).rglob("*.py"))
# Read by the command lines that start a worker, not by the program.
STARTERS = [ROOT / "Procfile", ROOT / "docker-compose.yml", ROOT / "deploy" / "flowerconfig.py"]
SETTING = re.compile(r"\b(?:CAPI|SENTRY|FLOWER)_[A-Z][A-Z_]*[A-Z]\b|\bCELERY_BROKER_URL\b")
VISITOR = {
    "url": "https://shop.example.com/thanks",
    "ip": "192.0.2.1",
    "user_agent": "Mozilla/5.0",
    "fbp": "fb.1.1700000000123.1116446470",
    "fbc": None,
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[Any]:
    """Return the fenced blocks of one language on all pages, as pytest parameters."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    return [
        pytest.param(textwrap.dedent(found[2]), id=f"{name_of(page)}-{number}")
        for page in PAGES
        for number, found in enumerate(fence.finditer(page.read_text()), start=1)
    ]


def settings_in(paths: list[Path]) -> set[str]:
    names = (name for path in paths for name in SETTING.findall(path.read_text()))
    return {name.removesuffix("_FILE") for name in names}


def first_column(page: str, heading: str) -> list[str]:
    """Return the code spans in the first column of the tables below a heading."""
    _, _, rest = (ROOT / "docs" / page).read_text().partition(f"\n## {heading}\n")
    section = rest.partition("\n## ")[0]
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def conversions(app: str) -> ModuleType:
    """Load the part of an example that needs no framework."""
    path = ROOT / "examples" / app / "conversions.py"
    spec = spec_from_file_location(f"{app}_conversions", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example_events() -> dict[str, dict[str, Any]]:
    order = {"id": "A-1001", "email": "ada@example.com", "phone": "+44 20 7946 0123", "total": "59.90"}
    form = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}
    return {
        "flask_app": conversions("flask_app").purchase(order, VISITOR),
        "django_app": conversions("django_app").registration(form, VISITOR),
        "fastapi_app": conversions("fastapi_app").lead("ada@example.com", None, VISITOR),
    }


@pytest.mark.parametrize("app", APPS, ids=name_of)
def test_an_example_compiles_and_has_a_readme(app: Path) -> None:
    for source in app.glob("*.py"):
        compile(source.read_text(), source, "exec")

    assert {path.name for path in app.iterdir() if path.is_file()} == {"app.py", "conversions.py", "README.md"}


@pytest.mark.parametrize("app", APPS, ids=name_of)
def test_the_code_in_a_tutorial_is_the_apps_own(app: Path) -> None:
    code = "".join(source.read_text() for source in app.glob("*.py"))
    shown = re.findall(r"```python\n(.*?)```", (app / "README.md").read_text(), re.DOTALL)

    assert shown
    assert [block for block in shown if block not in code] == []


@pytest.mark.parametrize("app", APPS, ids=name_of)
def test_an_example_imports_only_names_that_the_producer_has(app: Path) -> None:
    imported = {
        (node.module, alias.name)
        for source in app.glob("*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {"capi_relay", "worker"}
        for alias in node.names
    }

    assert imported <= {("capi_relay", name) for name in capi_relay.__all__}


@pytest.mark.parametrize("app", [app.name for app in APPS])
def test_meta_would_take_an_examples_event_with_nothing_left_out(app: str) -> None:
    safe, warnings = protect(example_events()[app])
    event = {"event_time": 1_700_000_000, **decode(encode(safe))}

    assert (problems_of(event), warnings) == ([], ())


def test_the_flask_example_gives_the_same_order_the_same_event_id() -> None:
    assert example_events()["flask_app"]["event_id"] == example_events()["flask_app"]["event_id"]


@pytest.mark.parametrize("snippet", blocks("python"))
def test_a_python_block_compiles(snippet: str) -> None:
    compile(snippet, "snippet", "exec")


@pytest.mark.parametrize("snippet", blocks("toml"))
def test_a_datasets_file_in_the_docs_is_a_right_one(snippet: str, tmp_path: Path) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text(snippet)

    assert set(DatasetFile(path).tables()) == {table["id"] for table in tomllib.loads(snippet)["dataset"]}


def test_every_setting_the_code_reads_is_in_the_configuration_page() -> None:
    assert settings_in([*SOURCES, *STARTERS]) - settings_in([ROOT / "docs" / "configuration.md"]) == set()


def test_every_setting_the_docs_name_is_read_by_the_code() -> None:
    assert settings_in(PAGES) - settings_in([*SOURCES, *STARTERS]) == set()


def test_the_numbers_on_the_configuration_page_are_the_codes_defaults() -> None:
    source = (ROOT / "worker" / "settings.py").read_text()
    fields = re.findall(r'^    (\w+): .*\n    """([A-Z_]+):', source, re.MULTILINE)
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = {name: cells.split(" | ") for name, cells in re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", page, re.MULTILINE)}
    written = {name: float(cells[1]) for name, cells in rows.items() if len(cells) > 1 and cells[1].isdigit()}
    defaults = load({})
    coded = {name: getattr(defaults, field) for field, name in fields if name in written}

    assert coded == {name: written[name] for name in coded}
    assert len(coded) > 10


def test_the_configuration_page_has_a_row_for_each_key_of_the_datasets_file() -> None:
    assert sorted(first_column("configuration.md", "The datasets file")) == sorted(_EXPECTED)


def test_the_map_of_the_tree_has_every_file_of_the_code() -> None:
    packages = ("capi_relay", "schemas", "worker", "tasks", "simulator")
    files = {name_of(path) for name in packages for path in (ROOT / name).rglob("*.py")}
    mapped = {name for name in first_column("how-it-works.md", "The tree") if name.endswith(".py")}

    assert mapped == files


def test_every_script_is_described() -> None:
    files = {path.name for path in ROOT.glob("*/**/scripts/*.lua") if ".venv" not in path.parts}
    described = {Path(name).name for name in first_column("how-it-works.md", "Scripts")}

    assert described == files


def test_every_door_is_described() -> None:
    assert first_column("how-it-works.md", "Doors") == list(DOORS)


def test_every_reason_of_a_dead_letter_is_described() -> None:
    assert first_column("dead-letters.md", "Reasons") == list(REASONS)


def test_every_command_is_in_the_commands_page_and_no_other() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    spans = re.findall(r"`([a-z ]+)", " ".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)))
    named = {word for span in spans for word in span.split()}

    assert named == set(main.commands) | set(dead.commands)


def test_every_reason_of_a_pause_is_in_the_runbook() -> None:
    named = set(first_column("runbook.md", "A dataset is paused"))
    code = "".join((ROOT / "worker" / name).read_text() for name in ("relay.py", "pauses.py"))
    given = set(re.findall(r'reason="([a-z_]+)"', code))

    assert given | {"manual"} == named


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text()):
        place, _, anchor = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(target)

    assert lost == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, spelled as code hosts do."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_both_ignore_files_keep_the_same_things_from_an_image() -> None:
    rules = [
        [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for path in (ROOT / ".dockerignore", ROOT / "deploy" / "Dockerfile.dockerignore")
    ]

    assert rules[0] == rules[1]


def test_the_changelog_has_an_open_section() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text()
