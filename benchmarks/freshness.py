"""A steady stream of events: how long from ``enqueue`` to Meta's answer, and what it costs to keep up."""

import time
from functools import partial

from benchmarks.measure import Figures, Options, group_cpu_seconds, percentile, wait_until
from benchmarks.sink import Sink
from benchmarks.stage import stage
from tests.fakes.events import raw_purchase

DATASET = "1000"
EVENTS_PER_SECOND = 1000
_A_CALL = 10


def _has(sink: Sink, events: int) -> bool:
    return bool(sink.told()["events"] >= events)


def run(options: Options) -> Figures:
    """Enqueue at a steady rate with the producer, and ask the endpoint how old the events were when it answered."""
    figures = Figures()
    seconds = options.size(20, 5)
    settings = {"CAPI_LINGER_SECONDS": "0.5"}
    with Sink(latency_seconds=0.2, keep_ages=True) as sink, stage(sink, (DATASET,), **settings) as on:
        group = on.start_relay()
        producer = on.relay.producer()
        for number in range(options.rounds + 1):
            sink.told(forget=True)
            cpu, began = group_cpu_seconds(group), time.monotonic()
            count = (3 if number == 0 else seconds) * EVENTS_PER_SECOND  # the first one warms up
            for first in range(0, count, _A_CALL):
                time.sleep(max(0, began + first / EVENTS_PER_SECOND - time.monotonic()))
                events = [raw_purchase(n) | {"event_id": f"at-{time.time_ns() // 1000}"} for n in range(_A_CALL)]
                producer.enqueue_many(events, dataset_id=DATASET)
            spent, lasted = group_cpu_seconds(group) - cpu, time.monotonic() - began
            wait_until(partial(_has, sink, count), "all is delivered", seconds=30)
            if number:
                told = sink.told()
                figures.add("offered", "offered", "events/s", count / lasted)
                figures.add("p50", "delivered after enqueue, p50", "s", percentile(told["ages"], 0.5))
                figures.add("p99", "delivered after enqueue, p99", "s", percentile(told["ages"], 0.99))
                figures.add("cpu_share", "worker CPU", "of a core", spent / lasted)
                figures.add("requests", "requests", "per s", len(told["answers"]) / lasted)
        producer.close()
    figures.notes.append("Linger 0.5 s, the endpoint answers after 0.2 s, one dataset, one worker process.")
    return figures
