"""replay.lua and purge.lua: a dead letter is put back or deleted once, however often it is asked for."""

from capi_relay import keys
from tests.integration.store.hand import DATASET, LANE, Hand, texts
from worker.dead_letters import age_out
from worker.store import StoredDeadLetter

META = b'{"v":1,"t":5,"n":1}'


def dead_letter(hand: Hand, event: str = "a") -> StoredDeadLetter:
    hand.append(event)
    lease = hand.take()
    hand.settle(lease, dead=lease.entries)
    return list(hand.store.dead.read(DATASET))[-1]


def test_a_dead_letter_can_be_looked_up(hand: Hand) -> None:
    letter = dead_letter(hand)

    assert hand.store.dead.get(DATASET, letter.id) == letter
    assert hand.store.dead.get(DATASET, "1-1") is None


def test_more_dead_letters_than_a_page_are_read_in_order(hand: Hand) -> None:
    hand.append(*map(str, range(450)))
    lease = hand.take()
    hand.settle(lease, dead=lease.entries)

    assert [letter.event.decode() for letter in hand.store.dead.read(DATASET)] == [str(n) for n in range(450)]


def test_reading_begins_at_the_time_that_is_asked_for(hand: Hand) -> None:
    for ms in (1000, 2000, 3000):
        hand.redis.xadd(keys.dead(0, DATASET), {"e": "x", "m": "", "r": "{}"}, id=f"{ms}-1")

    assert [letter.id for letter in hand.store.dead.read(DATASET, since_ms=2000)] == ["2000-1", "3000-1"]


def test_the_last_ids_name_only_datasets_that_have_dead_letters(hand: Hand) -> None:
    others = [str(number) for number in range(450)]
    letter = dead_letter(hand)

    assert hand.store.dead.last_ids([*others, DATASET]) == {DATASET: letter.id}


def test_a_replayed_dead_letter_is_in_its_lane_once(hand: Hand) -> None:
    letter = dead_letter(hand)
    replays = [hand.store.dead.replay(letter, lane_name="0", meta=META) for _ in range(2)]
    lease = hand.take()

    assert replays == [True, False]
    assert (texts(lease), lease.entries[0].meta) == (["a"], META)
    assert (hand.counter("replayed"), hand.counts().dead_letters, hand.counts().unaccounted) == (1, 0, 0)


def test_a_replay_moves_the_bytes_to_the_lane(hand: Hand) -> None:
    hand.store.dead.replay(dead_letter(hand), lane_name="0", meta=META)

    assert hand.size("bytes") == hand.size(f"b:{LANE}") == 128 + 1


def test_a_replay_into_a_held_lane_waits_for_its_holder(hand: Hand) -> None:
    letter = dead_letter(hand)
    hand.append("b")
    hand.take()
    hand.store.dead.replay(letter, lane_name="0", meta=META)

    assert hand.due() is None


def test_a_replay_may_go_to_a_lane_that_is_new(hand: Hand) -> None:
    hand.store.dead.replay(dead_letter(hand), lane_name="late", meta=META)

    assert hand.take().lane == f"{DATASET}/late"
    assert hand.counts().stored == 1


def test_a_purged_dead_letter_is_gone_and_stays_counted_by_its_door(hand: Hand) -> None:
    letter = dead_letter(hand)
    purged = [hand.store.dead.purge(DATASET, [letter.id, "1-1"]) for _ in range(2)]

    assert purged == [1, 0]
    assert (hand.counts().dead_letters, hand.counter("rejected"), hand.counts().unaccounted) == (0, 1, 0)
    assert hand.size("bytes") == 0


def test_what_was_purged_cannot_be_replayed(hand: Hand) -> None:
    letter = dead_letter(hand)
    hand.store.dead.purge(DATASET, [letter.id])

    assert hand.store.dead.replay(letter, lane_name="0", meta=META) is False
    assert hand.redis.xlen(keys.stream(0, LANE)) == 0


def test_what_is_too_old_is_deleted_and_counted_and_the_rest_stays(hand: Hand) -> None:
    name = keys.dead(0, DATASET)
    now_ms = hand.now_ms()
    young = dead_letter(hand)
    for number in range(450):
        hand.redis.xadd(f"{name}:old", {"e": "x", "m": "", "r": "{}"}, id=f"{now_ms - 60_000}-{number}")
    hand.redis.xadd(f"{name}:old", {"e": young.event, "m": young.meta, "r": young.record}, id=young.id)
    hand.redis.rename(f"{name}:old", name)

    assert hand.store.dead.age_out(DATASET, 120_000) == 0
    assert hand.store.dead.age_out(DATASET, 30_000) == 450
    assert [letter.id for letter in hand.store.dead.read(DATASET)] == [young.id]
    assert (hand.counter("aged_out"), hand.counter("rejected"), hand.counts().unaccounted) == (450, 1, 0)


def test_nothing_is_deleted_where_dead_letters_are_kept_for_ever(hand: Hand) -> None:
    hand.redis.xadd(keys.dead(0, DATASET), {"e": "x", "m": "", "r": "{}"}, id="1-1")
    hand.redis.sadd(keys.datasets(0), DATASET)

    assert age_out(hand.store, 0) == {}
    assert age_out(hand.store, 1) == {DATASET: 1}
