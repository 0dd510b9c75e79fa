"""Run commands as a person does, on a real event store, and put there what they are to find."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from capi_relay import Producer, Receipt
from worker.cli import main
from worker.intake import bury, sort_entries
from worker.store import Exit, Settlement, Store

DATASET, OTHER = "1001", "1002"
TOKEN = "a-planted-token-0123456789"
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """An event store and a datasets file, and what is done with them."""

    folder: Path
    store: Store
    env: dict[str, str]

    def run(self, *words: str, code: int = 0, stdin: str = "", env: Mapping[str, str] | None = None) -> Result:
        """Run a command and check its exit code."""
        done = CliRunner().invoke(main, words, input=stdin, env={**self.env, **(env or {})}, prog_name="worker")
        assert done.exit_code == code, (done.exit_code, done.output, done.exception)
        return done

    def json(self, *words: str, code: int = 0, stdin: str = "") -> Any:  # noqa: ANN401 - each command has its own
        """Run a command with --json and return what it printed."""
        return json.loads(self.run(*words, "--json", code=code, stdin=stdin).stdout)

    def file(self, text: str, name: str = "events.jsonl") -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def enqueue(self, *events: Event, dataset_id: str = DATASET) -> None:
        """Put events into the queue, due at once."""
        producer = Producer(self.env["CAPI_REDIS_URL"], linger_seconds=0, deadline_seconds=10)
        outcomes = producer.enqueue_many(events, dataset_id=dataset_id)
        producer.close()
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)

    def work(self, door: str = "") -> None:
        """Settle what is due as a worker does: the good events delivered, the others as dead letters.

        With a door all of them take it, unread.
        """
        while lease := self.store.lanes.claim(self.store.lanes.look(), max_events=100, max_bytes=1_000_000):
            found = sort_entries(lease.entries, now_seconds=time.time())
            exits = [Exit(("delivered", "fresh"), [item.entry for item in found.good])]
            dead = found.dead
            if door:
                exits, dead = [], tuple(bury(entry, door, None) for entry in lease.entries)
            self.store.lanes.settle(lease, Settlement("release", exits=exits, dead=dead))

    def letter_ids(self, dataset_id: str = DATASET) -> list[str]:
        """Return the ids of a dataset's dead letters."""
        return [stored.id for stored in self.store.dead.read(dataset_id)]


def lead(event_id: str = "lead-1", **others: Any) -> Event:  # noqa: ANN401 - JSON
    """Return a good event with raw personal data."""
    event = {
        "event_name": "Lead",
        "event_time": int(time.time()),
        "event_id": event_id,
        "action_source": "system_generated",
        "user_data": {"em": "ada@example.com"},
    }
    return event | others


def bad(event_id: str = "bad-1") -> Event:
    """Return an event that Meta refuses."""
    return lead(event_id, shop="north")


def lines(*events: object) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(event) + "\n" for event in events)
