"""One process against an endpoint that takes a second to answer: does it keep all its requests in flight?"""

from functools import partial

from benchmarks.measure import Figures, Options, uss_bytes
from benchmarks.sink import Sink
from benchmarks.stage import rate_of, stage

IN_FLIGHT = (16, 32, 48)


def run(options: Options) -> Figures:
    """Measure with as many datasets as requests in flight."""
    figures = Figures()
    datasets = tuple(str(2000 + number) for number in range(max(IN_FLIGHT)))
    batches = options.size(7, 3)
    with Sink(latency_seconds=1) as sink, stage(sink, datasets) as on:
        for _ in range(options.rounds):
            for flying in IN_FLIGHT:
                on.clear()
                group = on.start_relay(concurrency=flying)
                events = flying * batches * 1000
                fill = partial(on.fill, events, datasets[:flying])
                found = on.drain([group], fill, events, seconds=90)
                used_bytes = uss_bytes(group)
                on.stop_workers()
                rate = rate_of(on.sink.told()["answers"], first=flying)
                figures.add(f"rate_{flying}", f"{flying} in flight", "events/s", rate)
                figures.add(
                    f"share_{flying}", f"{flying} in flight, of the most there can be", "x", rate / flying / 1000
                )
                figures.add(f"cpu_{flying}", f"{flying} in flight: worker CPU", "us/event", found.worker_cpu_us)
                figures.add(f"uss_{flying}", f"{flying} in flight: worker memory afterwards", "MB", used_bytes / 1e6)
    figures.notes.append("From the end of the first wave of requests to the last answer.")
    return figures
