"""Two hundred small tenants beside one with nine tenths of the load and a backlog: how old do their events get?

``python -m tests.faults.whale --waiting 2000000 --seconds 30 --seed 1`` measures the small ones alone, then beside the
whale, prints both, and exits 1 when their p99 grew threefold or an event is unaccounted for. No test: its result is a
matter of the machine, whose load stands beside the figures.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.acceptance.site import Site, running_site
from tests.fakes.relay import wait_until
from tests.faults.bulk import CALL_EVENTS, Bulk, small_event

SMALL = [str(2000 + number) for number in range(200)]
WHALE = "1000"
TOKENS = {name: f"token-{name}" for name in (*SMALL, WHALE)}
WORKERS = 2
LOAD_SHARE = 0.9
ALLOWED_GROWTH = 3.0


@dataclass(frozen=True, slots=True)
class Ages:
    """How old the small tenants' events were on arrival, and how busy the machine was."""

    sent: int
    missing: int
    twice: int
    p50: float
    p99: float
    greatest: float
    busy: float

    def line(self, what: str) -> str:
        """Return it as it is printed."""
        return (
            f"{what}: {self.sent} events of {len(SMALL)} small tenants, p50 {self.p50:.2f} s, p99 {self.p99:.2f} s, "
            f"greatest {self.greatest:.2f} s; {self.missing} missing, {self.twice} twice; "
            f"CPUs {self.busy:.0%} busy, load {os.getloadavg()[0]:.1f} on {os.cpu_count()}"
        )


class Whale(threading.Thread):
    """Enqueues nine tenths of the whole load until it is told to stop."""

    def __init__(self, bulk: Bulk) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self._bulk = bulk

    def run(self) -> None:
        """Enqueue a call each time as much of the load is due."""
        a_second = len(SMALL) * LOAD_SHARE / (1 - LOAD_SHARE)
        while not self.done.wait(CALL_EVENTS / a_second):
            self._bulk.append(WHALE, CALL_EVENTS)


def sell(site: Site, seconds: float, dice: Random, run: str) -> Ages:
    """Enqueue an event a second for each small tenant, in an order of chance, and measure how they arrive."""
    sent: dict[str, float] = {}
    cpu, start = _cpu_seconds(), time.monotonic()
    order = [name for _ in range(int(seconds)) for name in dice.sample(SMALL, len(SMALL))]
    for number, name in enumerate(order):
        event_id = f"{run}-{number}"
        sent[event_id] = time.time()
        site.producer.enqueue(small_event(event_id), dataset_id=name)
        time.sleep(max(0.0, start + (number + 1) / len(SMALL) - time.monotonic()))
    busy = 1 - (_cpu_seconds()[1] - cpu[1]) / (_cpu_seconds()[0] - cpu[0])
    wait_until(lambda: not any(site.store.admin.counts(name).stored for name in SMALL), "the small ones are through")
    rows = [row for name in SMALL for row in site.meta.events(name) if row["event_id"] in sent]
    ages = sorted(row["at"] - sent[row["event_id"]] for row in rows)
    times = Counter(row["event_id"] for row in rows)
    p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
    return Ages(len(sent), len(sent) - len(times), times.total() - len(times), p50, p99, ages[-1], busy)


def _cpu_seconds() -> tuple[float, float]:
    """Return the time of all CPUs, and how much of it they were idle."""
    spent = [float(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(spent), spent[3] + spent[4]


def measure(waiting: int, seconds: float, seed: int) -> bool:
    """Print the figures; return whether the small ones felt little of the whale."""
    dice = Random(seed)
    with tempfile.TemporaryDirectory(prefix="capi-whale-") as folder, running_site(Path(folder), TOKENS) as site:
        for _ in range(WORKERS):
            site.relay.start_worker()
        sell(site, 3, dice, "warm-up")
        alone = sell(site, seconds, dice, "alone")
        print(alone.line("alone"), flush=True)
        site.store.admin.pause(WHALE, reason="manual", seconds=None)  # all of it is there when the clock starts
        bulk = Bulk(site.relay.server.url)
        bulk.append(WHALE, waiting)
        site.store.admin.resume(WHALE)
        at_start = site.store.admin.counts(WHALE).stored
        whale = Whale(bulk)
        whale.start()
        beside = sell(site, seconds, dice, "beside")
        at_end = site.store.admin.counts(WHALE).stored
        whale.done.set()
        whale.join()
        bulk.close()
        print(beside.line(f"beside a whale of {at_start:,} waiting events ({at_end:,} at the end)"))
        unaccounted = {name: counts for name in TOKENS if (counts := site.store.admin.counts(name).unaccounted)}
    growth = beside.p99 / alone.p99
    print(f"p99 beside over alone: {growth:.2f}; unaccounted for: {unaccounted or 'none'}")
    faults = [alone.missing, alone.twice, beside.missing, beside.twice, unaccounted, growth >= ALLOWED_GROWTH]
    return not any(faults)


def main() -> int:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=2_000_000, help="events that the whale has waiting at the start")
    parser.add_argument("--seconds", type=float, default=30, help="how long to sell, alone and beside the whale")
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    print(f"seed {told.seed}")
    return 0 if measure(told.waiting, told.seconds, told.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
