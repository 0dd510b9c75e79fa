"""``demo``: start everything on this machine, send events through it, show what happened."""

import time
from collections import Counter
from contextlib import closing
from typing import Any

import click

from capi_relay import Receipt
from worker.cli import sample_events
from worker.cli.console import doors_text, number, out, percent, safe, table
from worker.cli.counts import status_of
from worker.cli.dead_selection import selection
from worker.cli.demo_relay import DemoRelay, demo_relay
from worker.cli.opening import open_producer
from worker.dead_letters import DeadLetter
from worker.runtime import open_store
from worker.store import DatasetCounts

_GOOD = {"1001": 2500, "1002": 1200, "1003": 300}
_BAD_GO_TO = "1003"
_TOKENS = {dataset_id: f"demo-token-{dataset_id}" for dataset_id in _GOOD}
_DELIVERY_SECONDS = 60.0


@click.command(
    "demo", short_help="Show the whole relay at work, with a simulated Meta.", epilog="Example: python -m worker demo"
)
def command() -> None:
    """Start an event store, a simulated Meta and a worker, send some thousand events through them, show what happened.

    Everything runs on this machine, in a temporary directory, and ends with the demo. Exit 1 if the relay's numbers and
    the simulator's do not agree.
    """
    say, started = out().print, time.monotonic()
    say("Starting an event store, Meta's simulator, a worker and beat ...")
    with demo_relay(_TOKENS) as relay, closing(open_store(relay.settings)) as store:
        enqueued = _enqueue(relay)
        say(f"Enqueued {number(enqueued)} events for {len(_GOOD)} datasets, some of them bad; the worker delivers ...")
        found = relay.wait_until_empty(store, list(_GOOD), _DELIVERY_SECONDS)
        letters = [letter for _, letter in selection(store)]
        ledger = relay.ledger()
        _show(found, letters, ledger)
        problems = disagreements(_GOOD, found, letters, ledger)
        if problems:
            raise click.ClickException("\n".join(problems))
        _show_letter(letters)
    say(f"\nAll numbers agree; {time.monotonic() - started:.0f} s in all. `make run` starts a relay that stays.")


def _enqueue(relay: DemoRelay) -> int:
    """Send the sample events through a producer, as a web app does."""
    with closing(open_producer(relay.settings)) as producer:
        accepted = 0
        for seed, (dataset_id, count) in enumerate(_GOOD.items()):
            events = [*sample_events.good(count, seed), *(sample_events.bad() if dataset_id == _BAD_GO_TO else ())]
            outcomes = producer.enqueue_many(events, dataset_id=dataset_id)
            if refused := [outcome for outcome in outcomes if not isinstance(outcome, Receipt)]:
                raise click.ClickException(f"the producer refused {len(refused)} events: {refused[0]}")
            accepted += len(outcomes)
    return accepted


def _show(found: list[DatasetCounts], letters: list[DeadLetter], ledger: dict[str, Any]) -> None:
    view = table("Dataset", "Enqueued", "Delivered", "Requests", "Within the hour", right={1, 2, 3, 4})
    other = table("Dataset", "Dead letters", "Simulator took", "in requests", right={2, 3})
    for counts in found:
        status, taken = status_of(counts), ledger["datasets"].get(counts.dataset_id, {})
        view.add_row(
            counts.dataset_id,
            *(number(status[name]) for name in ("enqueued", "delivered", "requests")),
            percent(status["share_within_hour"]),
        )
        other.add_row(
            counts.dataset_id,
            doors_text(Counter(letter.reason for letter in letters if letter.dataset_id == counts.dataset_id)),
            *(number(taken.get(name, 0)) for name in ("events", "requests")),
        )
    out().print(view)
    out().print(other)
    if _BAD_GO_TO in ledger["datasets"]:
        out().print(
            f"{_BAD_GO_TO} took more requests: Meta refuses a whole request for one bad event, which had to be found."
        )
    unaccounted = sum(counts.unaccounted for counts in found)
    out().print(f"Reconciled: {unaccounted} events unaccounted for, {ledger['duplicates']} sent twice.")


def disagreements(
    good: dict[str, int], found: list[DatasetCounts], letters: list[DeadLetter], ledger: dict[str, Any]
) -> list[str]:
    """Return what does not add up, given how many good events were enqueued for each dataset."""
    problems = []
    for counts in found:
        status, name = status_of(counts), counts.dataset_id
        taken = ledger["datasets"].get(name, {}).get("events", 0)
        if not status["delivered"] == taken == good[name]:
            problems.append(
                f"dataset {name}: of {good[name]} good events the relay says that it delivered {status['delivered']}, "
                f"the simulator that it took {taken}"
            )
        if counts.unaccounted:
            problems.append(f"dataset {name}: {counts.unaccounted} events are unaccounted for")
    reasons = Counter(letter.reason for letter in letters)
    if reasons != sample_events.BAD_REASONS:
        problems.append(f"the dead letters should be {sample_events.BAD_REASONS}, but are {dict(reasons)}")
    if ledger["duplicates"]:
        problems.append(f"the simulator took {ledger['duplicates']} events twice")
    return problems


def _show_letter(letters: list[DeadLetter]) -> None:
    """Explain one dead letter, as ``dead show`` does."""
    letter = next(letter for letter in letters if letter.reason == "rejected")
    view = table("A dead letter", "")
    for name in ("event_name", "event_id", "reason", "code", "subcode", "cause", "fix"):
        view.add_row(name, safe(letter.as_json()[name]))
    out().print(view)
