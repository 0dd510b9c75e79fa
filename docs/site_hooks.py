"""MkDocs hooks: pages that lie outside docs/ join the site, and links follow them.

The pages are written for a reader of the repository: links lead to its files, and what belongs to a list item stands
below its text. The site has no source files, and Python-Markdown wants four columns. So nobody has to write twice.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples/index.md",
    "examples/django_app/README.md": "examples/django.md",
    "examples/fastapi_app/README.md": "examples/fastapi.md",
    "examples/flask_app/README.md": "examples/flask.md",
}
"""Path in the repository -> path in the site."""

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
_ITEM = re.compile(r"(\d+\.|-) ")
_COLUMNS = 4  # by which Python-Markdown knows what belongs to a list item


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Put the pages from outside docs/ into the site."""
    for path, place in OUTSIDE.items():
        files.append(File.generated(config, place, content=(ROOT / path).read_text()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page's text with links that lead to the site's pages, and lists as Python-Markdown reads them."""
    del config, files
    place = page.file.src_uri
    origin = next((path for path, to in OUTSIDE.items() if to == place), f"docs/{place}")
    return "\n".join(indented(_LINK.sub(lambda link: _relinked(link, origin, place), markdown)))


def _relinked(link: re.Match[str], origin: str, place: str) -> str:
    """Return a link for the site; what only the repository has keeps its name and is no link."""
    words, target = link.groups()
    path, _, anchor = target.partition("#")
    if not path or "://" in target or target.startswith("mailto:"):
        return link[0]
    found = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
    in_repository = (ROOT / found).exists()
    if (ROOT / found).is_dir():
        found = f"{found}/README.md"
    there = OUTSIDE.get(found) or (found.removeprefix("docs/") if found.startswith("docs/") else None)
    if there is None:
        return words if in_repository else link[0]  # what is nowhere is the strict build's to tell
    return f"[{words}]({posixpath.relpath(there, posixpath.dirname(place) or '.')}{'#' if anchor else ''}{anchor})"


def indented(markdown: str) -> Iterator[str]:
    """Yield the lines; those that belong to a list item are moved to where Python-Markdown looks for them."""
    width, fenced = 0, False
    for line in markdown.split("\n"):
        item = None if fenced else _ITEM.match(line)
        if item is not None:
            width = len(item[0])
        elif line.strip() and not line.startswith(" " * max(width, 1)):
            width = 0
        if line.lstrip().startswith("```"):
            fenced = not fenced
        inside = width and item is None and line.strip()
        yield " " * (_COLUMNS - width) + line if inside else line
