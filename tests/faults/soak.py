"""The chaos soak: tenants, workers, event store and endpoint under random faults, and an audit when all is calm again.

``python -m tests.faults.soak --minutes 60 --seed 7`` prints the seed and the ledger, and exits 1 when anything is
unaccounted for; the folder with the logs then stays.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from capi_relay import Overloaded
from tests.acceptance.site import Site, fingerprint
from tests.fakes import events
from tests.fakes.relay import Relay, wait_until
from tests.faults.books import AcceptLog, Books, books_of, violations
from tests.faults.chaos import LEASE_SECONDS, Chaos, Endpoint
from worker.store import Store

TOKENS = {str(8000 + n): f"planted-token-{n}" for n in range(8)}
SETTINGS = {"CAPI_LEASE_SECONDS": str(LEASE_SECONDS), "CAPI_HTTP_TOTAL_SECONDS": "2"}
WORKERS = 3
POISON_SHARE = 0.001
CALL_EVENTS = 40
BETWEEN_CALLS_SECONDS = 0.04
MOST_EVENTS = 300_000  # a long soak sells slowly: all books are held in memory at the end
CALM_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Result:
    """What a soak came to."""

    books: Books
    broken: tuple[str, ...]
    harm: str
    oldest_seconds: float
    """The greatest age at which an event arrived."""

    def report(self) -> str:
        """Return it as the soak prints it."""
        lines = [self.harm, f"{self.books.summary()}, oldest {self.oldest_seconds:.1f} s", *self.broken]
        return "\n".join(lines)


class Shop:
    """Enqueues events for all tenants until it is told to stop, and keeps the accept log."""

    def __init__(self, relay: Relay, seed: int, seconds: float) -> None:
        self._pause_seconds = max(BETWEEN_CALLS_SECONDS, seconds * CALL_EVENTS / 2 / MOST_EVENTS)
        self.log = AcceptLog()
        self.poison: set[str] = set()
        self.closing = threading.Event()
        self._producer = relay.producer()
        self._dice = Random(seed)
        self._sold = 0

    def run(self) -> None:
        """Sell; what the store refuses is offered until it is taken."""
        while not self.closing.wait(self._pause_seconds):
            dataset_id = self._dice.choice(list(TOKENS))
            left = [self._next(dataset_id) for _ in range(self._dice.randint(1, CALL_EVENTS))]
            while left:
                outcomes = self._producer.enqueue_many(left, dataset_id=dataset_id)
                refused = [event for event, told in zip(left, outcomes, strict=True) if isinstance(told, Overloaded)]
                for event in left:
                    log = self.log.in_doubt if event in refused else self.log.accepted
                    log[event["event_id"]] = (dataset_id, fingerprint(event))
                self.log.offered_again.update(event["event_id"] for event in refused)
                left = refused
                time.sleep(0.05 if refused else 0)
        self._producer.close()

    def _next(self, dataset_id: str) -> events.Event:
        self._sold += 1
        poisoned = self._dice.random() < POISON_SHARE
        name = f"{'poison' if poisoned else 'order'}-{dataset_id}-{self._sold}"
        if poisoned:
            self.poison.add(name)
        return events.purchase(name) if self._sold % 3 else events.lead(name)


def soak(seconds: float, seed: int, folder: Path) -> Result:
    """Run so long, calm down, and audit.

    Raises:
        AssertionError: not everything had left in time after the calm.
    """
    endpoint = Endpoint(folder, TOKENS, seed)
    try:
        with (
            Relay(folder, endpoint.simulator.url, TOKENS, port=None, maxmemory=None, **SETTINGS) as relay,
            ThreadPoolExecutor(1) as pool,
        ):
            store = Store(relay.server.url)
            chaos, shop = Chaos(relay, endpoint, seed), Shop(relay, seed + 1, seconds)
            selling = pool.submit(shop.run)
            try:
                for _ in range(WORKERS):
                    chaos.start_worker()
                chaos.run(seconds)
                chaos.calm()
            finally:
                shop.closing.set()
            selling.result(CALM_SECONDS)
            site = Site(endpoint.simulator, relay, store, relay.producer(), tuple(TOKENS))
            wait_until(lambda: site.stored() == 0, "every event has left", seconds=CALM_SECONDS, every=0.2)
            books = replace(books_of(site, shop.log, TOKENS, tuple(TOKENS.values())), taken=endpoint.taken())
            store.close()
            site.producer.close()
    finally:
        endpoint.simulator.kill()
    broken = [*violations(books), *_wrongly_dead(books, shop.poison)]
    harm = ", ".join(f"{name} {count}" for name, count in sorted(chaos.done.items()))
    oldest = max((line["at"] - line["event_time"] for line in books.taken), default=0)
    return Result(books, tuple(broken), harm, oldest)


def _wrongly_dead(books: Books, poison: set[str]) -> list[str]:
    """Say where the dead letters are not exactly what Meta refuses."""
    dead = {event_id for letters in books.store.dead.values() for event_id, _ in letters}
    wrong, missing = dead - poison, (poison & books.log.accepted.keys()) - dead
    return (
        [f"dead letters: {sorted(wrong)[:3]} are no poison, {sorted(missing)[:3]} are missing"]
        if wrong | missing
        else []
    )


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="s-"))
    print(f"soak of {given.minutes:g} minutes, --seed {given.seed}, in {folder}", flush=True)
    result = soak(given.minutes * 60, given.seed, folder)
    print(result.report())
    if not result.broken:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
