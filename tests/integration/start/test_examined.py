"""What a worker looks at when it starts, on real servers: it refuses little, warns of more, waits for nobody."""

from contextlib import closing
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from capi_relay.errors import MisconfiguredError
from tests.fakes.server import EmbeddedServer, free_port
from worker.doctor import start
from worker.store import Store


def test_an_old_kombu_is_refused_by_its_name(own_store: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "installed", lambda: {"kombu": "5.6.2"})
    with closing(Store(own_store.url)) as store, pytest.raises(MisconfiguredError, match=r"kombu 5\.6\.2 is too old"):
        start.examine(store)


def test_a_server_without_a_limit_or_a_file_is_worth_a_look_and_no_reason_to_stop(own_store: EmbeddedServer) -> None:
    with capture_logs() as lines, closing(Store(own_store.url)) as store:
        start.examine(store)

    assert {line["subject"] for line in lines if line["event"] == "worth a look"} == {"memory", "persistence"}


def test_a_store_that_is_away_is_told_and_no_reason_to_stop() -> None:
    with capture_logs() as lines, closing(Store(f"redis://127.0.0.1:{free_port()}/0")) as store:
        start.examine(store)

    assert [line["event"] for line in lines] == ["the event store's settings are not looked at"]


def test_a_policy_that_is_changed_later_is_found_by_the_next_sweep(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / "s", maxmemory="64mb") as server,
        closing(Store(server.url)) as store,
        redis.Redis.from_url(server.url) as client,
    ):
        before = start.refusals(store)
        client.config_set("maxmemory-policy", "volatile-lru")

        assert before == []
        assert [finding.subject for finding in start.refusals(store)] == ["eviction"]
