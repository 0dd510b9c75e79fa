"""A site for each test, on the session's event store; nothing of the developer's environment reaches it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.server import EmbeddedServer
from tests.integration.cli.commands import DATASET, OTHER, TOKEN, Site
from worker.store import Store

FOREIGN = ("CAPI_", "CELERY_", "SENTRY_", "FLOWER_")


@pytest.fixture
def site(event_store: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return an empty installation with two datasets, one of which has no token."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    datasets = tmp_path / "datasets.toml"
    datasets.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "{TOKEN}"\n[[dataset]]\nid = "{OTHER}"\n')
    store = Store(event_store.url)
    yield Site(tmp_path, store, {"CAPI_REDIS_URL": event_store.url, "CAPI_DATASETS": str(datasets)})
    store.close()
