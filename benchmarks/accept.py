"""The accept path beside plain marshmallow: what it costs to validate an event from its bytes."""

from collections import deque
from collections.abc import Sequence
from functools import partial

import msgspec

from benchmarks.events import stored_events
from benchmarks.measure import Figures, Options, cpu_us, interleaved
from capi_relay.wire import decode, encode
from schemas import problems_of
from schemas.accept import Acceptor
from tests.fakes.events import bad_events
from worker.intake import sort_entries
from worker.store import Entry


def run(options: Options) -> Figures:
    """Measure valid, mixed and invalid events."""
    figures = Figures()
    take = Acceptor().take

    def validate(events: Sequence[bytes]) -> None:
        for data in events:
            if take(data) is None:
                problems_of(decode(data))

    def plain(events: Sequence[bytes]) -> None:
        for data in events:
            problems_of(decode(data))

    valid = list(stored_events(options.size(20_000, 2000)))
    few = valid[: len(valid) // 20]
    bad = list(_bad(len(few)))
    entries = [Entry(f"1700000000000-{n}", data, b'{"v":1,"t":1700000000000}') for n, data in enumerate(valid)]
    now = float(decode(valid[0])["event_time"])
    contenders = {
        "floor": partial(cpu_us, lambda: deque(map(msgspec.json.decode, valid), maxlen=0), len(valid)),
        "valid": partial(cpu_us, partial(validate, valid), len(valid)),
        "marshmallow": partial(cpu_us, partial(plain, few), len(few)),
        "invalid_1": partial(cpu_us, partial(validate, _mixed(valid, 100)), len(valid)),
        "invalid_10": partial(cpu_us, partial(validate, _mixed(few, 10)), len(few)),
        "invalid_100": partial(cpu_us, partial(validate, bad), len(bad)),
        "marshmallow_invalid": partial(cpu_us, partial(plain, bad), len(bad)),
        "intake": partial(cpu_us, lambda: sort_entries(entries, now_seconds=now), len(entries)),
    }
    labels = {
        "floor": "the floor: the same events decoded to plain objects (msgspec), nothing checked",
        "valid": "valid events, from bytes",
        "marshmallow": "the same events, plain marshmallow of the same schemas",
        "invalid_1": "1 % invalid",
        "invalid_10": "10 % invalid",
        "invalid_100": "100 % invalid",
        "marshmallow_invalid": "the same invalid events, plain marshmallow",
        "intake": "a worker's whole intake of valid events (worker.intake)",
    }
    for name, value in interleaved(options.rounds, contenders):
        figures.add(name, labels[name], "us/event", value)
    for value in figures.by_key["valid"].values:
        figures.add("events_a_core", "valid events", "events/s a core", 1e6 / value)
    figures.ratio("ratio", "plain marshmallow costs", "marshmallow", "valid")
    figures.ratio("slowdown_1", "1 % invalid costs", "invalid_1", "valid")
    figures.ratio("slowdown_100", "100 % invalid, over plain marshmallow", "invalid_100", "marshmallow_invalid")
    figures.notes.append(f"The event has {len(valid[0])} bytes.")
    return figures


def _bad(count: int) -> list[bytes]:
    """Return events that Meta would refuse, each for one reason of many."""
    kinds = [encode(event) for event in bad_events().values()]
    refused = [data for data in kinds if problems_of(decode(data))]
    return [refused[number % len(refused)] for number in range(count)]


def _mixed(valid: Sequence[bytes], each: int) -> list[bytes]:
    """Return the events with each n-th one invalid."""
    bad = _bad(len(valid) // each + 1)
    return [bad[place // each] if place % each == 0 else data for place, data in enumerate(valid)]
