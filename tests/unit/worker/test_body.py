from hypothesis import given
from hypothesis import strategies as st

from worker.body import body_of

EVENTS = st.lists(st.binary(max_size=20), max_size=170)


@given(EVENTS, st.sampled_from([None, "TEST1"]))
def test_the_pieces_of_a_body_are_the_events_joined(events: list[bytes], code: str | None) -> None:
    tail = b"]}" if code is None else b'],"test_event_code":"TEST1"}'

    assert b"".join(body_of(events, test_event_code=code)) == b'{"data":[' + b",".join(events) + tail


@given(EVENTS)
def test_the_length_of_a_body_is_known_before_it_is_made(events: list[bytes]) -> None:
    body = body_of(events)

    assert len(body) == sum(map(len, body))


def test_a_body_is_never_in_memory_as_a_whole() -> None:
    body = body_of([b"x" * 1400] * 1000)

    assert max(map(len, body)) < len(body) / 15


def test_a_body_can_be_sent_twice() -> None:
    body = body_of([b"{}", b"{}"])

    assert list(body) == list(body)
