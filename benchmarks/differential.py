"""The accept path against marshmallow on damaged events: what it takes, the schemas must take."""

from benchmarks.measure import Figures, Options
from capi_relay.errors import InvalidEvent
from capi_relay.wire import decode, encode
from schemas import problems_of
from schemas.accept import Acceptor
from tests.fakes.mutations import mutants

SEED = 77


def run(options: Options, count: int = 20_000) -> Figures:
    """Compare the two verdicts on so many mutants."""
    figures = Figures()
    take = Acceptor().take
    seen = valid = taken = false = 0
    for event in mutants(options.size(count, min(count, 2000)), seed=SEED):
        try:
            data = encode(event)
        except InvalidEvent:
            continue
        seen += 1
        took = take(data) is not None
        fine = not problems_of(decode(data))
        valid += fine
        taken += took
        false += took and not fine
    figures.add("mutants", "damaged events that JSON can carry", "events", seen)
    figures.add("valid", "of these valid all the same", "events", valid)
    figures.add("taken", "taken by the accept path", "events", taken)
    figures.add("false_accepts", "taken although marshmallow refuses", "events", false)
    figures.notes.append(f"Seed {SEED}. What the accept path does not take gets its verdict from marshmallow itself.")
    return figures
