"""The cases of the campaign: one place, one thing that goes wrong there, the same small workload; then the audit."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from capi_relay.datasets import DatasetDefaults
from capi_relay.failpoints import ACTIONS, VARIABLE
from capi_relay.prepare import prepare
from tests.acceptance.site import Site, fingerprint, running_site
from tests.fakes import events
from tests.fakes.relay import ROOT, wait_until
from tests.faults import shop
from tests.faults.books import AcceptLog, Books, books_of

TOKENS = {"7001": "planted-token-a", "7002": "planted-token-b", "7003": "planted-token-c"}
POISONED, RETRIED, PLAIN = TOKENS
EVENTS_EACH = 24
PERSON = "person.7@example.com"
CANARIES = (*TOKENS.values(), PERSON, "Person.7@Example.com")
QUICK = {"CAPI_LEASE_SECONDS": "2", "CAPI_HTTP_TOTAL_SECONDS": "1", "CAPI_LINGER_SECONDS": "0"}
POISON = {"kind": "poison", "dataset": POISONED, "code": 100, "subcode": 2804003}
ONE_500 = {"kind": "status_500", "dataset": RETRIED, "times": 1}
PATIENT_SECONDS = 40
STALL_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Case:
    """What goes wrong, where, and at which coming past."""

    place: str
    action: str
    nth: int = 1
    threads: int = 4
    weather: tuple[Mapping[str, object], ...] = (POISON, ONE_500)

    def __str__(self) -> str:
        return f"{self.place}:{self.action}@{self.nth}"

    @property
    def env(self) -> dict[str, str]:
        """Return the environment in which it happens."""
        return {VARIABLE: str(self)}


def all_cases(seed: int) -> list[Case]:
    """Return every case, in an order and at coming-pasts that the seed decides."""
    dice = Random(seed)
    cases = [Case(place, action, dice.choice((1, 2, 3))) for place, actions in ACTIONS.items() for action in actions]
    dice.shuffle(cases)
    return cases


def run(case: Case, folder: Path) -> Books:
    """Play one case on a fresh site and return its books; raises AssertionError where something never comes to rest."""
    with running_site(folder, TOKENS, **QUICK) as site:
        if case.place.endswith("_append"):
            log = _fail_shop(site, case)
        elif "spool" in case.place:
            log = _fail_spool(site, case)
        elif case.place.endswith("_replay"):
            log = _fail_replay(site, case)
        else:
            log = _fail_worker(site, case)
        return books_of(site, log, TOKENS, CANARIES)


def _fail_worker(site: Site, case: Case) -> AcceptLog:
    """Let a worker fail; what it leaves behind another one must finish, and a survivor must go on delivering."""
    log = _sell(site)
    site.meta.faults(case.weather)
    victim = site.relay.start_worker(concurrency=case.threads, ready=False, **case.env)
    _wait_for_the_fault(victim, site, case)
    if case.action == "stop":
        successor = site.relay.start_worker(concurrency=4)
        site.wait_until_empty(seconds=PATIENT_SECONDS)
        os.killpg(successor.pid, signal.SIGKILL)
        successor.wait()
        os.killpg(victim.pid, signal.SIGCONT)
    elif case.action == "kill":
        victim.wait(PATIENT_SECONDS)
        site.relay.start_worker(concurrency=4)
    site.wait_until_empty(seconds=PATIENT_SECONDS)
    _accept(site, log, [events.lead("afterwards")], PLAIN)
    site.wait_until_empty(seconds=PATIENT_SECONDS)
    return log


def _fail_shop(site: Site, case: Case) -> AcceptLog:
    """Let a producer fail between two calls; a worker then delivers what was accepted."""
    now = int(time.time())
    _let_it_end(_start_shop(site, PLAIN, str(now), env=case.env), site, case)
    return _sold(site, now)


def _fail_spool(site: Site, case: Case) -> AcceptLog:
    """Let a producer fail that spools, or one that drains what another has spooled; the next one drains the rest."""
    now = int(time.time())
    spool = {"CAPI_SPOOL_DIR": str(site.relay.folder / "spool")}
    site.relay.server.kill()
    if case.place == "after_spool":
        _let_it_end(_start_shop(site, PLAIN, str(now), env={**spool, **case.env}), site, case)
        site.relay.server.start()
    else:
        _end_well(_start_shop(site, PLAIN, str(now), env=spool))
        site.relay.server.start()
        _let_it_end(_start_shop(site, "drain", env={**spool, **case.env}), site, case)
    _end_well(_start_shop(site, "drain", env=spool))
    return _sold(site, now)


def _start_shop(site: Site, *words: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a shop; what it says goes to a file."""
    with _said(site).open("ab") as out, site.relay.log.open("ab") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.shop", *words],
            cwd=ROOT,
            env={**site.relay.env, **env},
            stdout=out,
            stderr=err,
        )


def _end_well(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has done what it was to do."""
    try:
        assert process.wait(PATIENT_SECONDS) == 0
    finally:
        process.kill()


def _said(site: Site) -> Path:
    return site.relay.folder / "shop.out"


def _sold(site: Site, now: int) -> AcceptLog:
    """Let a worker deliver what a shop has sold, and return what that was."""
    site.relay.start_worker(concurrency=4)
    site.wait_until_empty(seconds=PATIENT_SECONDS)
    sold = [event for number in range(shop.CALLS) for event in shop.call(PLAIN, number, now)]
    return _log_of(_said(site).read_text(), {event["event_id"]: (PLAIN, fingerprint(event)) for event in sold})


def _log_of(said: str, places: Mapping[str, tuple[str, str]]) -> AcceptLog:
    """Read what a shop said into an accept log."""
    log = AcceptLog()
    for line in map(json.loads, said.splitlines()):
        for event_id in line.get("call", ()):
            if event_id in log.in_doubt:
                log.offered_again.add(event_id)
            log.in_doubt[event_id] = places[event_id]
        if "call" in line:
            log.calls.append(frozenset(line["call"]))
        log.accepted.update({event_id: places[event_id] for event_id in line.get("accepted", ())})
    return log


def _fail_replay(site: Site, case: Case) -> AcceptLog:
    """Let a replay fail in the middle and run it again; each dead letter is delivered once."""
    log = AcceptLog()
    site.meta.faults([POISON])
    site.relay.start_worker(concurrency=4)
    _accept(site, log, [events.lead(f"poison-{n}") for n in range(6)], POISONED)
    site.wait_until_empty(seconds=PATIENT_SECONDS)
    site.meta.faults()
    words = [sys.executable, "-m", "worker", "dead", "replay", "--dataset", POISONED]
    with site.relay.log.open("ab") as out:
        first = subprocess.Popen(words, cwd=ROOT, env={**site.relay.env, **case.env}, stdout=out, stderr=out)
    _let_it_end(first, site, case)
    site.relay.command("dead", "replay", "--dataset", POISONED)
    site.wait_until_empty(seconds=PATIENT_SECONDS)
    assert site.counted("replayed") == len(log.accepted), "each dead letter is replayed once"
    return log


def _let_it_end(process: subprocess.Popen[bytes], site: Site, case: Case) -> None:
    """Wait until a process has met its fault and ended; one that was stopped goes on after a while."""
    try:
        _wait_for_the_fault(process, site, case)
        if case.action == "stop":
            time.sleep(STALL_SECONDS)  # past every deadline of the producer and every lease
            process.send_signal(signal.SIGCONT)
        process.wait(PATIENT_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _wait_for_the_fault(process: subprocess.Popen[bytes], site: Site, case: Case) -> None:
    """Wait until a process has met its fault; a case whose fault never happens proves nothing."""
    told = f"failpoint {case.place}: {case.action}".encode()

    def fired() -> bool:
        return told in site.relay.log.read_bytes()

    wait_until(lambda: fired() or process.poll() is not None, f"{case} happens", seconds=PATIENT_SECONDS, every=0.01)
    assert fired(), f"{case} did not happen: {site.relay.log.read_text(errors='replace')[-500:]}"


def _sell(site: Site) -> AcceptLog:
    """Enqueue the workload: three datasets, raw personal data, one poison event."""
    log = AcceptLog()
    now = int(time.time())
    for dataset_id in TOKENS:
        sold = [events.raw_purchase(n, now) | {"event_id": f"{dataset_id}-{n}"} for n in range(EVENTS_EACH)]
        if dataset_id == POISONED:
            sold[EVENTS_EACH // 3]["event_id"] = "poison-1"
        _accept(site, log, sold, dataset_id)
    return log


def _accept(site: Site, log: AcceptLog, sold: list[events.Event], dataset_id: str) -> None:
    site.accept(sold, dataset_id)
    for event in sold:
        sent = prepare(event, DatasetDefaults(dataset_id), now=time.time())
        log.accepted[str(event["event_id"])] = (dataset_id, fingerprint(json.loads(sent.encoded)))
