"""Every command in README and docs is typed as it stands; what needs root, Docker or a network is checked as text."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from capi_relay import keys
from tests.fakes.commands import commands_of
from tests.fakes.reader import Reader
from tests.fakes.server import EmbeddedServer
from tests.fakes.simulator import Simulator
from tests.integration.cli.commands import Site, bad, lead
from worker.store import Store

ROOT = Path(__file__).parents[2]
PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    if commands_of(page)
]
DATASET, TOKEN = "1234567890", "EAAexample"
LETTER_ID = "1764000000000-0"
"""The dead letter that the page about them edits."""
SALES = "E-Mail;Order no.;Total;Sold at;SKU\nada@example.com;A-1001;1.059,90;{time};BOOK-7\n"
WITH_ANOTHER_STORE = {"docs/start.md"}  # which runs the embedded one, with the short form of the settings


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("s"), appendonly=False) as server:
        yield server


@pytest.fixture(scope="module")
def meta() -> Iterator[Simulator]:
    with Simulator({DATASET: TOKEN}) as simulator:
        yield simulator


@pytest.fixture
def reader(
    request: pytest.FixtureRequest,
    store: EmbeddedServer,
    meta: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("r")
    datasets = folder / "datasets.toml"
    datasets.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken_file = "token"\n')
    (folder / "token").write_text(TOKEN)
    write_sales(folder)
    write_script(folder)
    stands_for = {"/etc/capi-relay/datasets.toml": str(datasets), "redis://localhost:6379/0": store.url}
    with Reader(folder, stands_for) as reader:
        reader.env["CAPI_GRAPH_URL"] = meta.url
        if request.getfixturevalue("page") not in WITH_ANOTHER_STORE:
            reader.env |= {"CAPI_REDIS_URL": store.url, "CAPI_DATASETS": str(datasets), "CAPI_DATASET_ID": DATASET}
            fill(store.url, Site(folder, Store(store.url), reader.env))
        yield reader


def write_sales(folder: Path) -> None:
    """Write the table that the page about files speaks of, and the page's own mapping."""
    page = (ROOT / "docs" / "bulk.md").read_text()
    mapping = page.partition("### The mapping file")[2].partition("    delimiter")[2].partition("\n\n`event_time")[0]
    (folder / "sales.toml").write_text("delimiter" + mapping.replace("\n    ", "\n"))
    yesterday = time.strftime("%d.%m.%Y %H:%M", time.localtime(time.time() - 86_400))
    (folder / "sales.csv").write_text(SALES.format(time=yesterday))


def write_script(folder: Path) -> None:
    """Write the script that the first page says."""
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "start.md").read_text(), re.DOTALL)
    (folder / "try.py").write_text(script)


def fill(url: str, site: Site) -> None:
    """Put into the event store what pages speak of: dead letters of several reasons, one with a known id; an event."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
        purchase = lead("purchase", event_name="Purchase", custom_data={"value": 1, "currency": "EURO", "old_key": 1})
        site.enqueue(bad(), purchase, dataset_id=DATASET)
        site.work()
        for door in ("rejected", "expired"):
            site.enqueue(lead(door), dataset_id=DATASET)
            site.work(door)
        dead = keys.dead(0, DATASET)
        letters = [fields for _, fields in client.xrange(dead)]
        client.delete(dead)
        letters.sort(key=lambda fields: b"Purchase" not in fields[b"e"])
        for place, fields in enumerate(letters):
            client.xadd(dead, fields, LETTER_ID if place == 0 else "*")
    site.enqueue(lead("waits"), dataset_id=DATASET)
    site.store.close()


def test_the_readmes_event_is_accepted(store: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPI_REDIS_URL", store.url)
    monkeypatch.setenv("CAPI_DATASET_ID", DATASET)
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - as a reader would
    names["producer"].close()

    assert (names["receipt"].status, names["receipt"].warnings) == ("accepted", ())


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_does_what_it_should(page: str, reader: Reader) -> None:
    typed = commands_of(ROOT / page)
    for command in typed:
        reader.type(command)

    assert typed
