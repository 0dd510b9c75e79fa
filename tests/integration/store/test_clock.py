"""The store's clock is set back, or another hand chose an id: no lane waits for a time that is far away."""

from capi_relay import keys
from tests.integration.store.hand import LANE, Hand

FUTURE_ID = "9999999999999-0"
LINGER_MS = 5_000


def test_a_lane_whose_ids_lie_in_the_future_waits_no_longer_than_it_lingers(hand: Hand) -> None:
    hand.redis.execute_command("XADD", keys.stream(0, LANE), FUTURE_ID, "e", "first")  # type: ignore[no-untyped-call] # redis-py
    hand.append("second")
    lease = hand.take(max_events=1)
    hand.settle(lease, lease.entries, linger_ms=LINGER_MS)
    due = hand.due()

    assert due is not None
    assert due <= hand.now_ms() + LINGER_MS
