"""The command line: ``python -m benchmarks [subjects] [--quick] [--json] [--rounds N]``."""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import accept, concurrency, differential, end_to_end, freshness, memory, plot, producer, report, store
from benchmarks.gates import GATES
from benchmarks.measure import Figures, Options
from benchmarks.results import document, write

SUBJECTS: dict[str, Callable[[Options], Figures]] = {
    "accept": accept.run,
    "differential": differential.run,
    "producer_fast": producer.run_fast,
    "producer_plain": producer.run_plain,
    "store": store.run,
    "end_to_end": end_to_end.run,
    "concurrency": concurrency.run,
    "freshness": freshness.run,
    "memory": memory.run,
}
BY_HAND: dict[str, Callable[[Options], Figures]] = {"backlog_10m": store.run_10m}


def main() -> int:
    """Run what is asked for; return the exit code: 1 where a gate is missed."""
    arguments = _arguments()
    if arguments.names == ["report"]:
        print(*report.write_tables(), sep="\n")
        return 0
    if arguments.names == ["plot"]:
        print(plot.draw() or "nothing drawn: matplotlib or the results of end_to_end are missing")
        return 0
    if arguments.names == ["profile"]:
        from benchmarks import profile  # noqa: PLC0415 - it brings up the worker's whole runtime

        profile.show(arguments.count or 40_000)
        return 0
    options = Options(arguments.rounds or (2 if arguments.quick else 5), arguments.quick)
    wanted = arguments.names or list(SUBJECTS)
    results = {name: result for name in wanted if (result := _run(name, options, arguments))}
    if arguments.json:
        print(json.dumps(results, indent=1))
    else:
        for name, result in results.items():
            print(f"\n{name}\n\n{report.table(name, {name: result})}")
        print(f"\n{report.gate_table(results, only_measured=True)}")
    return int(len(results) < len(wanted) or any(_missed(gate.measured(results), gate.met) for gate in GATES))


def _missed(value: float | None, met: Callable[[float], bool]) -> bool:
    return value is not None and not met(value)


def _run(name: str, options: Options, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure one subject and write its result; empty where it failed."""
    sys.stderr.write(f"{name} ...\n")
    subject = {**SUBJECTS, **BY_HAND}[name]
    if name == "differential" and arguments.count:
        subject = partial(differential.run, count=arguments.count)
    began = time.monotonic()
    try:
        figures = subject(options)
    except Exception:  # noqa: BLE001 - the other subjects are still worth their time
        traceback.print_exc()
        return {}
    result = document(name, options, figures, time.monotonic() - began)
    write(result)
    return result


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = [*SUBJECTS, *BY_HAND, "report", "plot", "profile"]
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="small and rough; never replaces a written result")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--rounds", type=int, help="rounds of each contender (5; quick: 2)")
    parser.add_argument("--count", type=int, help="differential: mutated events; profile: events")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
