"""The tick: resume datasets that were given a token, and say how many hints to publish.

Any number of tickers may run: hints may be lost, doubled or late, and no event depends on one.
"""

import structlog

from worker.datasets import Datasets
from worker.pump import WAIT_MS
from worker.store import Store

log = structlog.get_logger(__name__)

# Two machines whose datasets files differ would otherwise pause and resume a dataset at each other every second.
_SETTLED_MS = 3_000


def hints_wanted(eligible: int, queued: int, cap: int) -> int:
    """Return how many hints to publish: one a lane, never more in the queue than the cap."""
    return max(0, min(eligible, cap) - queued)


def eligible_lanes(store: Store) -> int:
    """Count the lanes that may be taken now or while a pump would wait for them.

    Raises:
        StoreUnavailable: Redis is away.
    """
    return store.lanes.look(soon_ms=WAIT_MS).eligible_soon


def resume_repaired(store: Store, datasets: Datasets) -> list[str]:
    """Resume datasets that wait for a token and have another one now; return their ids."""
    resumed = []
    for dataset_id, pause in store.admin.pauses().items():
        if pause.reason not in ("no_token", "token") or pause.age_ms < _SETTLED_MS:
            continue
        dataset = datasets.get(dataset_id)
        token = dataset.token if dataset else None
        if (
            token
            and token.fingerprint != pause.fingerprint
            and store.admin.resume(dataset_id, only_reason=pause.reason)
        ):
            resumed.append(dataset_id)
            log.info("dataset resumed: it has a new token", dataset_id=dataset_id)
    return resumed
