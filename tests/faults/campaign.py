"""The single-fault campaign: every place times everything that can go wrong there, each case audited.

``python -m tests.faults.campaign [--seed N] [--slice K/N] [--only TEXT]`` prints a line a case and exits 1 on any
violation; the folders of failed cases stay.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.books import violations
from tests.faults.cases import Case, all_cases, run


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case."""

    case: Case
    ledger: str
    broken: tuple[str, ...]
    seconds: float

    def line(self) -> str:
        """Return it as the campaign prints it."""
        head = f"{'ok' if not self.broken else 'BROKEN':6} {self.case!s:32} {self.seconds:5.1f} s  {self.ledger}"
        return "\n         ".join([head, *self.broken])


def judge(case: Case) -> Verdict:
    """Play and audit one case; the folder of a broken one stays, and the verdict names it."""
    folder = Path(tempfile.mkdtemp(prefix="f-"))  # short: a socket's path must not be long
    started = time.monotonic()
    try:
        books = run(case, folder)
    except Exception as error:  # noqa: BLE001 - a case that fails in whatever way is a finding, and the next ones run
        return Verdict(case, "", (f"{type(error).__name__}: {error}", f"see {folder}"), time.monotonic() - started)
    broken = violations(books)
    if broken:
        broken.append(f"see {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(case, books.summary(), tuple(broken), time.monotonic() - started)


def sliced(seed: int, number: int, count: int) -> list[Case]:
    """Return one of so many slices of all cases; together they are all."""
    return all_cases(seed)[number - 1 :: count]


def judged(cases: Sequence[Case], jobs: int) -> Iterator[Verdict]:
    """Judge cases, some at a time, in their order."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge, cases)


def todays_seed() -> int:
    """Return a seed that changes with the day, so that CI gets around."""
    return datetime.now(UTC).toordinal()


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=todays_seed())
    parser.add_argument("--slice", default="1/1", help="K/N: the K-th of N slices")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    given = parser.parse_args()
    number, count = map(int, given.slice.split("/"))
    cases = [case for case in sliced(given.seed, number, count) if given.only in str(case)]
    print(f"{len(cases)} cases, --seed {given.seed} --slice {given.slice}")
    broken = 0
    for verdict in judged(cases, given.jobs):
        print(verdict.line(), flush=True)
        broken += bool(verdict.broken)
    print(f"{len(cases)} cases, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
