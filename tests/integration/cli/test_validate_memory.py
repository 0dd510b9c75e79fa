"""A file of any size: an event is told before the next ones are read, and what was read is not kept."""

import json
import os
import re
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path
from typing import IO

import pytest

from tests.fakes.events import mixed
from tests.fakes.relay import ROOT

# As Python objects so many events take more than 20 MB.
EVENTS = 9_000
FEW = 1_000
GROWTH_KB = 6_000


def peak_kb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def feed(stdin: IO[bytes], data: bytes, measured: threading.Event) -> None:
    """Write all of it, and end it only when the peak has been read: who has ended has none."""
    stdin.write(data)
    measured.wait(60)
    stdin.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a running process's peak")
def test_a_file_is_not_held_in_memory() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CAPI_")}
    words = [sys.executable, "-m", "worker", "validate", "-", "--json"]
    data = b"".join(json.dumps(event).encode() + b"\n" for event in mixed(EVENTS, seed=1))
    with subprocess.Popen(words, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        measured = threading.Event()
        threading.Thread(target=feed, args=[running.stdin, data, measured]).start()
        told = sum(1 for _ in islice(running.stdout, FEW))
        before = peak_kb(running.pid)
        told += sum(1 for _ in islice(running.stdout, EVENTS - 2 * FEW))  # the last ones may still be in its buffer
        after = peak_kb(running.pid)
        measured.set()
        told += sum(1 for _ in running.stdout)

    assert (running.returncode, told) == (0, EVENTS)
    assert after - before < GROWTH_KB
