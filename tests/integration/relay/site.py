"""One worker's machinery, built as a worker builds it, between a real event store and a simulator of Meta."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from capi_relay import Producer, keys
from tests.fakes.events import Event, purchase
from tests.integration.store.hand import Hand
from worker.batch import Tally
from worker.dead_letters import DeadLetter, read_letter
from worker.runtime import Runtime, build
from worker.settings import load
from worker.shutdown import Shutdown
from worker.store import DatasetCounts, Lease
from worker.tick import resume_repaired

DATASET = "1001"
SHARING = "1002"
"""A dataset with the same token."""
OTHER = "1003"
TOKENS = {DATASET: "token-a", SHARING: "token-a", OTHER: "token-b"}


class Site:
    """Takes one lease at a time, so that a test sees what each of them does."""

    def __init__(self, store_url: str, graph_url: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.path = folder / "datasets.toml"
        _write(self.path, TOKENS, {})
        self.settings = load(
            {
                "CAPI_REDIS_URL": store_url,
                "CAPI_GRAPH_URL": graph_url,
                "CAPI_DATASETS": str(self.path),
                "CAPI_LINGER_SECONDS": "0",
                **settings,
            },
        )
        self.shutdown = Shutdown()
        self.runtime: Runtime = build(self.settings, self.shutdown)
        self.hand = Hand(store_url)
        # The deadline has tests of its own: here a busy machine must not refuse anything.
        self.producer = Producer(store_url, linger_seconds=0, deadline_seconds=20)

    def write_datasets(self, tokens: Mapping[str, str], **more: str) -> None:
        """Write the datasets file anew and do not wait for the second after which it is looked at again."""
        _write(self.path, tokens, more)
        file = self.runtime.datasets._file._file
        assert file is not None
        file._look_again = float("-inf")

    def enqueue(self, *event_ids: str, dataset_id: str = DATASET, **changes: Any) -> None:  # noqa: ANN401 - JSON
        """Enqueue a Purchase for each id."""
        self.enqueue_events([purchase(event_id, **changes) for event_id in event_ids], dataset_id=dataset_id)

    def enqueue_events(self, events: list[Event], *, dataset_id: str = DATASET) -> None:
        for outcome in self.producer.enqueue_many(events, dataset_id=dataset_id):
            assert not isinstance(outcome, Exception), outcome

    def claim(self) -> Lease | None:
        """Lease the next lane, as the pump does."""
        lanes = self.runtime.store.lanes
        return lanes.claim(lanes.look(), max_events=self.settings.batch_events, max_bytes=self.settings.batch_bytes)

    def turn(self) -> Tally:
        """Lease the next lane and do what its batch needs."""
        lease = self.claim()
        assert lease is not None
        return self.run(lease)

    def run(self, lease: Lease) -> Tally:
        """Do what a leased batch needs."""
        tally = Tally()
        self.relay.run(lease, tally)
        return tally

    def run_all(self) -> None:
        """Let every lane that may be taken have its turn."""
        while lease := self.claim():
            self.run(lease)

    @property
    def relay(self) -> Any:  # noqa: ANN401 - the pump's own
        return self.runtime.pump._relay

    def counts(self, dataset_id: str = DATASET) -> DatasetCounts:
        return self.hand.counts(dataset_id)

    def counter(self, name: str, dataset_id: str = DATASET) -> int:
        return self.hand.counter(name, dataset_id)

    def doors(self, dataset_id: str = DATASET) -> dict[str, int]:
        """Return the doors that events took."""
        return {door: count for door, count in self.counts(dataset_id).doors.items() if count}

    def letters(self, dataset_id: str = DATASET) -> list[DeadLetter]:
        return [read_letter(letter) for letter in self.hand.store.dead.read(dataset_id)]

    def held_seconds(self, lane: str = f"{DATASET}/0") -> float:
        """Return for how long nobody may take the lane; 0 or less: anybody may."""
        return ((self.hand.held(lane) or 0) - self.hand.now_ms()) / 1000

    def pause_seconds(self, dataset_id: str = DATASET) -> float:
        """Return for how long the dataset is still paused; 0: it is not."""
        pause = self.counts(dataset_id).pause
        return 0 if pause is None else ((pause.until_ms or float("inf")) - self.hand.now_ms()) / 1000

    def let_the_pause_end(self, dataset_id: str = DATASET) -> None:
        """Let the time of a pause pass, and that of its lane."""
        self.hand.redis.hset(keys.dataset(0, dataset_id), "until", 1)
        self.hand.ripen(f"{dataset_id}/0")

    def resume_repaired(self) -> list[str]:
        """Do what a tick does for datasets that wait for a token, a minute after their pause began."""
        for dataset_id in self.runtime.store.admin.paused_ids():
            self.hand.redis.hincrby(keys.dataset(0, dataset_id), "since", -60_000)
        return resume_repaired(self.runtime.store, self.runtime.datasets)

    def close(self) -> None:
        """Check that every event is accounted for, and close everything."""
        unaccounted = {each: self.counts(each).unaccounted for each in self.hand.store.admin.dataset_ids()}
        self.producer.close()
        self.hand.__exit__(None, None, None)
        self.runtime.store.close()
        self.relay._graph.close()
        assert not any(unaccounted.values()), unaccounted


def _write(path: Path, tokens: Mapping[str, str], more: Mapping[str, str]) -> None:
    """Write a table a dataset; no token: it has none yet."""
    lines = [f'{key} = "{value}"\n' for key, value in more.items()]
    tables = [
        "".join([f'[[dataset]]\nid = "{name}"\n', f'token = "{token}"\n' if token else "", *lines])
        for name, token in tokens.items()
    ]
    path.write_text("".join(tables))


MakeSite = Callable[..., Site]
