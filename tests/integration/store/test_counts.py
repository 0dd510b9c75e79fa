"""counts.lua: one instant, whatever happens to the set of lanes meanwhile."""

import pytest

from tests.integration.store.hand import DATASET, LANE, Hand
from worker.store import Admin


def test_a_lane_that_comes_while_the_lanes_are_read_is_counted(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.append("a")
    read, reads = Admin._lanes, []

    def read_and_then_append(admin: Admin, shard: int, dataset_id: str) -> list[str]:
        reads.append(read(admin, shard, dataset_id))
        if len(reads) == 1:
            hand.append("b", lane=f"{DATASET}/late")
        return reads[-1]

    monkeypatch.setattr(Admin, "_lanes", read_and_then_append)
    counts = hand.counts()

    assert (counts.stored, counts.unaccounted) == (2, 0)
    assert reads == [[LANE], [LANE, f"{DATASET}/late"]]
