from typing import TYPE_CHECKING, Any, cast

from worker.breaker import LocalBreaker
from worker.bulkhead import Bulkhead
from worker.pump import Pump
from worker.shutdown import Shutdown
from worker.store import Look, Store

if TYPE_CHECKING:
    from worker.relay import Relay


class NothingWaits:
    """A store without work."""

    lanes: Any
    slow: Any

    def __init__(self) -> None:
        self.lanes = self.slow = self

    def ids(self) -> list[str]:
        return []

    def look(self) -> Look:
        return Look((), 0, None)

    def claim(self, _look: Look, **_limits: int) -> None:
        return None


def test_a_pump_that_finds_nothing_leaves_the_try_to_one_that_does() -> None:
    now = 0.0
    breaker = LocalBreaker(lambda: now)
    breaker.failed()
    now = 5.0
    pump = Pump(
        store=cast("Store", NothingWaits()),
        relay=cast("Relay", None),
        breaker=breaker,
        bulkhead=Bulkhead(16),
        shutdown=Shutdown(),
        budget_seconds=1,
        max_events=1,
        max_bytes=1,
    )

    assert pump.run().lanes == 0
    assert breaker.allows()
