"""What the figures must reach: a table as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Gate:
    """One line: a figure, and where it must lie."""

    subject: str
    figure: str
    what: str
    side: Literal[">=", "<="]
    limit: float

    def measured(self, results: Mapping[str, Mapping[str, Any]]) -> float | None:
        """Return the figure, or None where it was not measured."""
        figure = results.get(self.subject, {}).get("figures", {}).get(self.figure)
        return float(figure["median"]) if figure else None

    def met(self, value: float) -> bool:
        """Say whether a value is good enough."""
        return value >= self.limit if self.side == ">=" else value <= self.limit


GATES = (
    Gate("accept", "ratio", "validation from bytes, x plain marshmallow", ">=", 20),
    Gate("accept", "events_a_core", "valid events validated, events/s a core", ">=", 50_000),
    Gate("accept", "slowdown_1", "1 % invalid events slow validation, x", "<=", 1.5),
    Gate("accept", "slowdown_100", "100 % invalid events, x plain marshmallow", "<=", 1.1),
    Gate("differential", "false_accepts", "false accepts among mutated events", "<=", 0),
    Gate("end_to_end", "x_sdk", "delivered events/s, x Celery with Meta's SDK, one message an event", ">=", 150),
    Gate("end_to_end", "x_batches", "delivered events/s, x celery-batches", ">=", 60),
    Gate("end_to_end", "x_hand", "delivered events/s, x 1000 events hand-batched in a task with the SDK", ">=", 8),
    Gate("end_to_end", "of_unvalidated", "delivered events/s, share of the same path without validation", ">=", 0.45),
    Gate("end_to_end", "relay1_cpu", "worker CPU, us an event", "<=", 30),
    Gate("end_to_end", "cpu_2_over_1", "CPU an event, 2 processes over 1", "<=", 1.15),
    Gate("end_to_end", "tls", "worker CPU with TLS, x plain", "<=", 1.15),
    Gate("end_to_end", "catch_up", "catch-up of 3.6 M events, seconds (computed from the rate)", "<=", 150),
    Gate("concurrency", "share_32", "32 in flight at 1 s, share of 32,000 events/s", ">=", 0.88),
    Gate("producer_fast", "one_of_celery", "enqueue p50 with [fast], share of .delay()", "<=", 1 / 8),
    Gate("producer_fast", "one_of_bound", "enqueue p50 with [fast], x the bound", "<=", 2.5),
    Gate("producer_fast", "many_x_celery", "enqueue_many with [fast], .delay() costs x as much", ">=", 60),
    Gate("producer_fast", "many_x_sdk", "enqueue_many with [fast], building with Meta's SDK costs x as much", ">=", 4),
    Gate("producer_plain", "many_x_celery", "enqueue_many plain, .delay() costs x as much", ">=", 30),
    Gate("producer_plain", "many_x_sdk", "enqueue_many plain, building with Meta's SDK costs x as much", ">=", 2),
    Gate("store", "memory_of_payload", "memory of a waiting event, x its payload", "<=", 1.12),
    Gate("store", "memory_of_celery", "memory of a waiting event, share of a Celery message", "<=", 0.40),
    Gate("store", "remembered_bytes", "memory of a remembered event, bytes", "<=", 40),
    Gate("store", "remembered_bytes_most", "the same while the server's table is growing, bytes", "<=", 55),
    Gate("store", "datasets_enqueue", "10,000 datasets: enqueue, x one dataset", "<=", 1.5),
    Gate("store", "datasets_claim", "10,000 datasets: claim, x one dataset", "<=", 1.2),
    Gate("store", "datasets_tick", "10,000 datasets: tick, x one dataset", "<=", 1.2),
    Gate("store", "datasets_idle_bytes", "memory of an idle dataset, bytes", "<=", 1536),
    Gate("store", "backlog_1m", "claim to settle at a backlog of 1 M, x 20,000", "<=", 1.25),
    Gate("backlog_10m", "backlog_10m", "claim to settle at a backlog of 10 M, x 20,000", "<=", 1.25),
    Gate("memory", "idle_mb", "worker USS a process, idle, MB", "<=", 45),
    Gate("memory", "in_flight_mb", "worker USS for each batch in flight, MB", "<=", 5),
    Gate("memory", "growth_mb", "worker USS growth over 1,000,000 events, MB", "<=", 2),
    Gate("freshness", "p50", "delivery after enqueue at 1,000 events/s, p50 seconds (linger 0.5)", "<=", 0.9),
    Gate("freshness", "p99", "the same, p99 seconds", "<=", 1.3),
    Gate("freshness", "cpu_share", "worker CPU at 1,000 events/s, share of a core", "<=", 0.15),
)
