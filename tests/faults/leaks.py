"""Many events through two workers, and then rest: what is left of them in the store, the broker and the processes?

``python -m tests.faults.leaks --events 1000000`` prints it, and exits 1 when a key stays that nobody wants or a worker
holds more descriptors than before. What stays on purpose is ``STAYS``.
"""

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.acceptance.site import Site, running_site
from tests.faults.bulk import Bulk

DATASETS = [str(6000 + number) for number in range(8)]
WORKERS, CONCURRENCY = 2, 4
# A thread may open its connection to Meta and one to the store after the baseline was taken.
MORE_DESCRIPTORS = 2 * CONCURRENCY
KEY = re.compile(r"capi1:(?:\{s0\}:)?(\w+).*|(capi-celery:[\w.]*).*")
HINTS_SECONDS = 20  # hints that nobody needs any more are still taken from the queue
STAYS = {
    "shards": "how the installation is divided",
    "size": "one hash: counts of the lanes, and the cap",
    "datasets": "one set",
    "lanes": "a set for each dataset",
    "cnt": "a hash for each dataset: the counters",
    "quality": "a hash for each dataset: what samples lacked",
    "slow": "one set: whose last answer came slowly",
    "q": "the empty stream of a lane, until a sweep finds it a day old",
    "seen": "what was delivered, for dedup_seconds and a quarter: it expires",
    "call": "the calls of the last ten minutes: they expire",
    "workers": "the workers of the last minute",
    "worker": "what each of them told: it expires",
    "capi-celery:_kombu.binding.capi": "kombu's name for our queue",
    "capi-celery:_kombu.binding_permanent.capi": "the same, of a queue that outlives its workers",
    "capi-celery:_kombu.binding.celeryev": "kombu's name for Flower's queue",
}
EXPIRES = {"seen", "call", "worker"}


@dataclass(frozen=True, slots=True)
class Rest:
    """What there is when nothing is to be done."""

    kinds: Counter[str]
    """Keys by kind."""
    everlasting: list[str]
    """Keys that should expire and would not."""
    events_left: int
    descriptors: list[int]
    uss_bytes: list[int]
    used_bytes: int
    """By the store, without what it remembers for a while."""
    clients: int

    def faults(self, before: "Rest") -> list[str]:
        """Name what should not be there."""
        found = [f"{count} keys of the kind {kind}" for kind, count in self.kinds.items() if kind not in STAYS]
        found += [f"{name} never expires" for name in self.everlasting]
        found += [f"{self.events_left} events are left"] * (self.events_left > 0)
        for now, then in zip(self.descriptors, before.descriptors, strict=True):
            found += [f"a worker holds {now} descriptors, {then} before"] * (now > then + MORE_DESCRIPTORS)
        return found


def rest_of(site: Site) -> Rest:
    """Look at a site at rest."""
    pids = [worker.pid for worker in site.relay.workers if worker.poll() is None]
    with closing(redis.Redis.from_url(site.relay.server.url, protocol=2)) as client:
        names = sorted(name.decode() for name in client.scan_iter(count=1000))
        kinds = {name: kind_of(name) for name in names}
        passing = [name for name, kind in kinds.items() if kind in EXPIRES]
        weights = client.pipeline(transaction=False)
        for name in passing:
            weights.memory_usage(name, samples=0)
        return Rest(
            kinds=Counter(kinds.values()),
            everlasting=[name for name in passing if client.ttl(name) == -1],
            events_left=sum(client.xlen(name) for name, kind in kinds.items() if kind == "q"),
            descriptors=[len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids],
            uss_bytes=[_uss_bytes(pid) for pid in pids],
            used_bytes=int(client.info("memory")["used_memory"]) - sum(filter(None, weights.execute())),
            clients=int(client.info("clients")["connected_clients"]),
        )


def kind_of(name: str) -> str:
    """Return what kind of key this is."""
    found = KEY.fullmatch(name)
    return name if found is None else found[1] or found[2]


def _uss_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return 1024 * sum(int(size) for size in re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", text, re.MULTILINE))


def through(site: Site, events: int, *, seconds: float) -> Rest:
    """Send so many events through, and look at what is left."""
    with closing(Bulk(site.relay.server.url)) as bulk:
        for dataset_id in DATASETS:
            bulk.append(dataset_id, events // len(DATASETS))
    site.wait_until_empty(seconds=seconds)
    end = time.monotonic() + HINTS_SECONDS
    while (rest := rest_of(site)).kinds.keys() - STAYS.keys() and time.monotonic() < end:
        time.sleep(0.2)
    return rest


def run(folder: Path, events: int, **settings: str) -> tuple[Rest, Rest]:
    """Return the rest after a fifth of the events and after all of them."""
    with running_site(folder, dict.fromkeys(DATASETS, "token"), **settings) as site:
        for _ in range(WORKERS):
            site.relay.start_worker(concurrency=CONCURRENCY)
        before = through(site, events // 5, seconds=60 + events / 2_000)
        after = through(site, events - events // 5, seconds=60 + events / 2_000)
    return before, after


def main() -> int:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="capi-leaks-") as folder:
        before, after = run(Path(folder), told.events)
    for what, rest in ((f"after {told.events // 5:,} events", before), (f"after {told.events:,} events", after)):
        print(
            f"{what}: descriptors {rest.descriptors}, USS {[round(each / 1e6, 1) for each in rest.uss_bytes]} MB, "
            f"store {rest.used_bytes / 1e6:.1f} MB without what expires, clients {rest.clients}\n  {dict(rest.kinds)}"
        )
    faults = after.faults(before)
    print("\n".join(faults) or "nothing is left but what should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
