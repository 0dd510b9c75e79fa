"""Less than a minute of the chaos soak; an hour of it is ``make soak MINUTES=60 SEED=7``."""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.soak import Result, soak

SECONDS = 40


@pytest.fixture(scope="module")
def result() -> Iterator[Result]:
    seed = int(os.environ.get("CAPI_TEST_SEED") or random.randrange(10**6))
    print(f"python -m tests.faults.soak --minutes {SECONDS / 60:.2f} --seed {seed}")
    folder = Path(mkdtemp(prefix="s-"))
    print(f"its logs are in {folder} if it fails")
    result = soak(SECONDS, seed, folder)
    yield result
    if not result.broken:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.soak
def test_after_the_chaos_everything_is_accounted_for(result: Result) -> None:
    print(result.report())

    assert not result.broken


@pytest.mark.soak
def test_the_chaos_was_one(result: Result) -> None:
    assert len(result.books.log.accepted) > 1_000
    assert "worker killed" in result.harm
