import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_process_that_compiled_the_schemas_ends_in_good_order() -> None:
    """The debugging allocator finds each time what is freed wrongly, not only now and then."""
    ended = subprocess.run(
        [sys.executable, "-c", "from schemas.accept import Acceptor; Acceptor()"],
        cwd=ROOT,
        env={**os.environ, "PYTHONMALLOC": "debug"},
        check=False,
    )

    assert ended.returncode == 0
