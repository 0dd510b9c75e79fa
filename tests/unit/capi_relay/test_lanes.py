"""Which lane an event goes to."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.lanes import lane_name

NOW = 1_800_000_000.0
TARGET = 3600


def lane(event_time: object = NOW, action_source: object = "website", event_id: str = "a", lanes: int = 1) -> str:
    return lane_name(
        event_id=event_id,
        event_time=event_time,
        action_source=action_source,
        lanes=lanes,
        now_seconds=NOW,
        freshness_seconds=TARGET,
    )


@pytest.mark.parametrize(
    ("event_time", "name"),
    [
        (NOW, "0"),
        (NOW - TARGET, "0"),
        (NOW - TARGET - 1, "late"),
        (NOW + 10**9, "0"),
        (0, "late"),
        (-(10**400), "late"),
    ],
)
def test_what_is_late_has_a_lane_of_its_own(event_time: object, name: str) -> None:
    assert lane(event_time) == name


@pytest.mark.parametrize("event_time", [None, "1", [], {}, float("nan"), 10**400])
def test_a_time_that_is_none_is_the_workers_to_judge(event_time: object) -> None:
    assert lane(event_time) == "0"


@pytest.mark.parametrize("event_time", [NOW, 0])
def test_physical_store_events_never_share_a_request(event_time: object) -> None:
    assert lane(event_time, "physical_store") == "store"


@given(st.text(), st.integers(2, 32))
def test_events_are_spread_by_id_so_that_duplicates_meet(event_id: str, lanes: int) -> None:
    assert lane(event_id=event_id, lanes=lanes) == str(crc32(event_id.encode()) % lanes)
