"""The documentation as a site: it builds strictly, without the network, and loads nothing from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 120
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
LINKS_THAT_LOAD = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


class Page(HTMLParser):
    """What one page of the site loads, where it leads, and where others may lead in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.anchors.update(given[name] or "" for name in ("id", "name") if name in given)
        value = given.get(LOADS.get(tag, ""))
        if value and (tag != "link" or LINKS_THAT_LOAD & set((given.get("rel") or "").split())):
            self.loaded.append(value)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    nowhere = {"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1", "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> Mapping[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources(hooks: ModuleType) -> Iterator[tuple[str, Path]]:
    """Yield each page's place in the site and its text."""
    docs = ROOT / "docs"
    for path in docs.rglob("*.md"):
        place = path.relative_to(docs).as_posix()
        yield re.sub(r"README\.md$", "index.md", place), path
    yield from ((place, ROOT / path) for path, place in hooks.OUTSIDE.items())


def test_every_page_that_is_written_is_in_the_site(site: Path, hooks: ModuleType) -> None:
    built = {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}

    assert built == {place.removesuffix(".md") + ".html" for place, _ in sources(hooks)}


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: Mapping[Path, Page]) -> None:
    outside = [(page.path.name, place) for page in pages.values() for place in page.loaded if urlsplit(place).netloc]
    styles = [path.name for path in site.rglob("*.css") if re.search(r"url\(['\"]?(https?:)?//", path.read_text())]

    assert (outside, styles) == ([], [])


def test_what_a_page_loads_is_there(pages: Mapping[Path, Page]) -> None:
    # The page of a wrong address may be shown anywhere, so it names everything from the root.
    lost = [
        (page.path.name, place)
        for page in pages.values()
        if page.path.name != "404.html"
        for place in page.loaded
        if not (page.path.parent / unquote(urlsplit(place).path)).is_file()
    ]

    assert lost == []


def test_every_link_and_anchor_leads_somewhere(pages: Mapping[Path, Page]) -> None:
    lost = [
        (page.path.name, target)
        for page in pages.values()
        if page.path.name != "404.html"
        for target in page.links
        if not urlsplit(target).scheme and not leads_somewhere(page.path, target, pages)
    ]

    assert lost == []


def leads_somewhere(origin: Path, target: str, pages: Mapping[Path, Page]) -> bool:
    parts = urlsplit(target)
    path = (origin.parent / unquote(parts.path)).resolve() if parts.path else origin
    page = pages.get(path)
    if page is None:
        return path.is_file() and not parts.fragment
    return not parts.fragment or unquote(parts.fragment) in page.anchors


def test_every_block_and_table_that_is_written_is_shown_as_one(
    site: Path, pages: Mapping[Path, Page], hooks: ModuleType
) -> None:
    """The two dialects of Markdown differ: what a code host shows as a block may be running text in the site."""
    wrong = []
    for place, source in sources(hooks):
        text = source.read_text()
        fences, tables = text.count("```") // 2, len(re.findall(r"^\|[-| ]+\|$", text, re.MULTILINE))
        tags = pages[site / (place.removesuffix(".md") + ".html")].tags
        if tags.count("pre") < fences or tags.count("table") != tables:
            wrong.append((place, fences, tags.count("pre"), tables, tags.count("table")))

    assert wrong == []


def test_no_list_is_shown_as_running_text(pages: Mapping[Path, Page]) -> None:
    running = re.compile(r"<p>[^<]*\n(?:- |\d+\. )")

    assert [path.name for path in pages if running.search(path.read_text())] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())

    assert listed == sorted(path.name for path in folder.glob("0*.md"))
    assert [f"decisions/{name}" for name in listed] == re.findall(
        r"- (decisions/\d+.+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1. One:\n\n   ```sh\n   make\n   ```\n\nText.", "1. One:\n\n    ```sh\n    make\n    ```\n\nText."),
        ("- One\n  more\n\nText.", "- One\n    more\n\nText."),
        ("```\n- no item\n  as it is\n```", "```\n- no item\n  as it is\n```"),
    ],
)
def test_what_belongs_to_a_list_item_is_moved_to_where_the_site_looks_for_it(
    hooks: ModuleType, written: str, shown: str
) -> None:
    assert "\n".join(hooks.indented(written)) == shown
