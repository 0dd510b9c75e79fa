"""The scripts on the redis-server of the system's packages: where it is 7.0, on the oldest that is promised to work."""

import os
import re
import subprocess
import sys

from tests.fakes.redis_server import redis_binary
from tests.fakes.relay import ROOT

MIN_VERSION = (7, 0)


def test_all_tests_of_the_store_pass_on_the_server_of_the_system() -> None:
    shown = subprocess.check_output([redis_binary(), "--version"], text=True)
    version = re.search(r"\bv=(\d+)\.(\d+)", shown)
    assert version is not None
    assert (int(version[1]), int(version[2])) >= MIN_VERSION
    options = ["-q", "-p", "tests.fakes.oldest_server", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/integration/store"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]
