"""The flag that tells running pumps to finish."""

import subprocess
import sys
import time
from pathlib import Path

from worker.shutdown import Shutdown

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import os, sys
from worker.shutdown import Shutdown
shutdown = Shutdown()
child = os.fork()
if child == 0:
    os._exit(0 if shutdown.wait(30) else 1)
shutdown.set()
sys.exit(os.waitpid(child, 0)[1])
"""


def test_it_is_not_set_at_first() -> None:
    shutdown = Shutdown()

    assert not shutdown.is_set()
    assert not shutdown.wait(0)


def test_a_wait_ends_when_it_is_set() -> None:
    shutdown = Shutdown()
    shutdown.set()
    before = time.monotonic()

    assert shutdown.wait(60)
    assert time.monotonic() - before < 5


def test_a_forked_child_sees_what_its_parent_sets_later() -> None:
    # In a process of its own: this one may have threads, and a fork would not take them along.
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, timeout=60, check=False)

    assert done.returncode == 0
