import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Of Celery's commands, of Flower, of Sentry without a DSN, and what libraries load where they find it.
NEEDLESS = {
    "celery.bin",
    "charset_normalizer",
    "click_repl",
    "flower",
    "prompt_toolkit",
    "rich",
    "sentry_sdk",
    "tornado",
    "aiohttp",
}
ALLOCATES_IN_THREADS = """
import ctypes, sys, threading
from worker.memory import return_what_is_freed
if "set" in sys.argv:
    return_what_is_freed()
together = threading.Barrier(8)
def allocate():
    together.wait(5)
    kept = [bytes(1400) for _ in range(1000)]
    together.wait(5)
threads = [threading.Thread(target=allocate) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
ctypes.CDLL(None).malloc_stats()
"""


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a Python with nothing of our settings but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPI_", "SENTRY", "CELERY"))}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def arenas(*words: str) -> int:
    """How many heaps eight threads made."""
    return run("-c", ALLOCATES_IN_THREADS, *words).stderr.count("Arena ")


def test_a_worker_loads_nothing_that_it_does_not_use() -> None:
    code = "import sys, tasks.__main__, celery.apps.worker; print(*(name for name in sys.modules if sys.modules[name]))"
    done = run("-W", "error", "-c", code)

    assert "worker.app" in done.stdout.split(), done.stderr
    assert NEEDLESS & set(done.stdout.split()) == set()


def test_wrong_settings_are_told_in_one_line() -> None:
    done = run("-m", "tasks", CAPI_BATCH_EVENTS="none")

    assert done.returncode == 2
    assert done.stderr.startswith("capi-relay cannot start: ")
    assert "CAPI_BATCH_EVENTS" in done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc makes a heap for each thread")
def test_threads_share_one_heap() -> None:
    assert arenas("set") == 1 < arenas()
