from hypothesis import given
from hypothesis import strategies as st

from worker.dedup import Repetitions
from worker.intake import Sendable
from worker.store import Entry

HOUR_MS = 3_600_000
TWO_DAYS_SECONDS = 48 * 3600


def item(place: int, event_id: str, event_name: str = "Purchase", action_source: str = "website") -> Sendable:
    return Sendable(Entry(f"1-{place}", b"{}", b""), 0, 0, event_name, event_id, action_source)


def batch_of(*event_ids: str) -> list[Sendable]:
    return [item(place, event_id) for place, event_id in enumerate(event_ids)]


def test_of_events_that_repeat_each_other_the_first_is_sent_and_the_others_wait_for_it() -> None:
    batch = batch_of("a", "b", "a", "a")
    repetitions = Repetitions(batch, TWO_DAYS_SECONDS)
    send, repeated = repetitions.part(frozenset())

    assert (send, repeated) == (batch[:2], [])
    assert repetitions.twins_of(batch[1:2]) == []
    assert repetitions.twins_of(batch[:1]) == [batch[2].entry, batch[3].entry]
    assert repetitions.twins_of(batch[:1]) == []


def test_what_was_delivered_before_is_not_sent() -> None:
    batch = batch_of("a", "b")
    known = Repetitions(batch_of("a"), TWO_DAYS_SECONDS).prints
    send, repeated = Repetitions(batch, TWO_DAYS_SECONDS).part(frozenset(known))

    assert (send, repeated) == (batch[1:], [batch[0].entry])


def test_another_name_another_id_and_a_missing_id_are_other_events() -> None:
    batch = [item(0, "a"), item(1, "a", "Lead"), item(2, "b"), item(3, ""), item(4, "")]

    assert Repetitions(batch, TWO_DAYS_SECONDS).part(frozenset()) == (batch, [])


def test_messages_of_a_business_are_never_held_to_be_repetitions() -> None:
    batch = [item(place, "a", action_source="business_messaging") for place in range(2)]
    repetitions = Repetitions(batch, TWO_DAYS_SECONDS)

    assert repetitions.part(frozenset()) == (batch, [])
    assert (repetitions.prints, repetitions.remembered(batch, 0)) == ((), None)


def test_with_a_window_of_zero_everything_is_sent_and_nothing_is_remembered() -> None:
    batch = batch_of("a", "a")
    repetitions = Repetitions(batch, 0)

    assert repetitions.part(frozenset()) == (batch, [])
    assert repetitions.remembered(batch, 0) is None


@given(
    delivered_ms=st.integers(1_700_000_000_000, 1_900_000_000_000),
    age_ms=st.integers(0, 80 * HOUR_MS),
    window_seconds=st.integers(1, 7 * 24 * 3600),
)
def test_a_delivery_is_remembered_for_the_window_at_least_and_a_quarter_longer_at_most(
    delivered_ms: int, age_ms: int, window_seconds: int
) -> None:
    batch = batch_of("a")
    repetitions = Repetitions(batch, window_seconds)
    remembered = repetitions.remembered(batch, delivered_ms)
    assert remembered
    known = remembered.slots[0] in repetitions.slots(delivered_ms + age_ms)

    if age_ms <= window_seconds * 1000:
        assert known
    if age_ms > window_seconds * 1250:
        assert not known
    assert remembered.keep_ms >= window_seconds * 1000 * 5 // 4
