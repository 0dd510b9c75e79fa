"""Events leave nothing behind: the small edition of ``python -m tests.faults.leaks``."""

from pathlib import Path

from tests.faults.leaks import STAYS, run

EVENTS = 20_000


def test_twenty_thousand_events_in_two_thousand_requests_leave_nothing_behind(tmp_path: Path) -> None:
    before, after = run(tmp_path, EVENTS, CAPI_BATCH_EVENTS="10")

    assert after.kinds["cnt"] == 8
    assert after.kinds.keys() <= STAYS.keys()
    assert after.faults(before) == []
