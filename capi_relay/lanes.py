"""Choose the lane of an event: pure."""

from zlib import crc32

from capi_relay.keys import LATE_LANE, STORE_LANE


def lane_name(
    *,
    event_id: str,
    event_time: object,
    action_source: object,
    lanes: int,
    now_seconds: float,
    freshness_seconds: float,
) -> str:
    """Return the name of the lane an event belongs to.

    Physical-store events have an age limit of their own and never share a request with others. What is already late
    (a back-fill) does not stand in front of fresh events. The rest is spread by event id, so that duplicates meet.
    """
    if action_source == "physical_store":
        return STORE_LANE
    if isinstance(event_time, (int, float)) and event_time < now_seconds - freshness_seconds:
        return LATE_LANE
    return str(crc32(event_id.encode()) % lanes) if lanes > 1 else "0"
