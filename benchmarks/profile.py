"""Where a worker's time goes: ``python -m benchmarks profile`` runs the main path in this process under cProfile."""

import cProfile
import logging
import os
import pstats

from benchmarks.sink import Sink
from benchmarks.stage import stage
from worker.observability import configure_logging
from worker.runtime import build
from worker.settings import load
from worker.shutdown import Shutdown


def show(events: int, lines: int = 40) -> None:
    """Deliver waiting events and print what cost most, by its own time."""
    with Sink() as sink, stage(sink, CAPI_PUMP_SECONDS="600") as on:
        configure_logging("json")
        logging.getLogger().handlers[0].setStream(open(os.devnull, "w"))  # type: ignore[attr-defined] # noqa: PTH123, SIM115 - as the log of a worker
        runtime = build(load(on.relay.env), Shutdown())
        on.fill(8000)
        runtime.pump.run()
        on.fill(events)
        profile = cProfile.Profile()
        profile.runcall(runtime.pump.run)
        stats = pstats.Stats(profile)
        print(f"{stats.total_tt * 1e6 / events:.1f} us an event under the profiler, which makes small calls dearer")  # type: ignore[attr-defined]
        stats.sort_stats("tottime").print_stats(lines)
