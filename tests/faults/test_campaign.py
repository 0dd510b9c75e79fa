"""A slice of the single-fault campaign, another one each day; the whole of it is ``make campaign``."""

import os

from tests.faults.campaign import judged, sliced, todays_seed

SLICES = 8


def test_the_cases_of_todays_slice_keep_every_promise() -> None:
    seed = int(os.environ.get("CAPI_TEST_SEED") or todays_seed())
    print(f"python -m tests.faults.campaign --seed {seed} --slice 1/{SLICES}")
    verdicts = list(judged(sliced(seed, 1, SLICES), jobs=2))
    broken = [verdict.line() for verdict in verdicts if verdict.broken]

    assert verdicts
    assert not broken, "\n".join(broken)
