"""Cutting a refused batch: a small Meta answers the parts, and every event must find its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.intake import Sendable
from worker.parts import Parts
from worker.store import Entry

TRANSIENT = (None, 503)


@dataclass(frozen=True)
class Bad:
    """What Meta says of a bad event: an event's own code, or one that nobody knows."""

    code: int
    known: bool = True
    named: bool = False
    """Whether Meta says which event of the request it is."""


@dataclass
class Run:
    """What became of a batch that was sent part by part."""

    passed: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    posts: int = 0
    end: Literal["done", "blocked", "alone"] = "done"


def batch(size: int) -> list[Sendable]:
    return [Sendable(Entry(f"1-{n}", b"", b""), 0, 0, "Lead", str(n)) for n in range(size)]


def send(size: int, faults: Mapping[int, Bad]) -> Run:
    """Do what the relay does with the answers of a Meta that refuses a request for its first bad event."""
    run, parts = Run(), Parts(batch(size))
    while part := parts.next():
        run.posts += 1
        assert [int(item.event_id) for item in part] == sorted(int(item.event_id) for item in part)
        index, bad = first_bad(part, faults)
        if bad is None:
            parts.passed(part)
            run.passed += [item.event_id for item in part]
            continue
        verdict: object
        if bad.known:
            verdict = parts.rejected(part, index if bad.named else None)
        else:
            verdict = parts.unknown(part, (bad.code, None))
        if isinstance(verdict, Sendable):
            run.rejected.append(verdict.event_id)
        elif verdict == "blocked" or verdict == "alone":  # noqa: PLR1714 - the type checker narrows by comparison only
            run.end = verdict
            return run
    assert parts.empty
    return run


def first_bad(part: Sequence[Sendable], faults: Mapping[int, Bad]) -> tuple[int, Bad | None]:
    return next(
        ((place, faults[int(item.event_id)]) for place, item in enumerate(part) if int(item.event_id) in faults),
        (0, None),
    )


some_fault = st.builds(Bad, code=st.sampled_from([7, 8]), known=st.booleans(), named=st.booleans())
some_batch = st.integers(1, 40).flatmap(
    lambda size: st.tuples(st.just(size), st.dictionaries(st.integers(0, size - 1), some_fault)),
)


@given(some_batch)
def test_every_good_event_passes_once_and_every_bad_one_is_rejected_once(
    given_batch: tuple[int, dict[int, Bad]],
) -> None:
    size, faults = given_batch
    run = send(size, faults)
    good = {str(number) for number in range(size) if number not in faults}
    bad = {str(number) for number in faults}

    assert len(set(run.passed)) == len(run.passed)
    assert len(set(run.rejected)) == len(run.rejected)
    if run.end == "done":
        assert (set(run.passed), set(run.rejected)) == (good, bad)
        assert run.posts <= 3 * size + 3
    else:
        assert set(run.passed) <= good
        assert set(run.rejected) <= bad


@given(some_batch)
def test_a_dataset_is_blamed_only_for_codes_that_nobody_knows(
    given_batch: tuple[int, dict[int, Bad]],
) -> None:
    size, faults = given_batch
    run = send(size, faults)

    if run.end != "done":
        assert len(run.passed) < size
        assert any(not bad.known for bad in faults.values())


@given(st.integers(2, 40), st.data())
def test_one_bad_event_with_an_unknown_code_is_found_among_good_ones(size: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, size - 1))
    run = send(size, {place: Bad(4711, known=False)})

    assert (run.end, run.rejected, len(run.passed)) == ("done", [str(place)], size - 1)


@pytest.mark.parametrize("place", [0, 1, 499, 500, 998, 999])
@pytest.mark.parametrize(
    ("bad", "most"),
    [(Bad(100), 19), (Bad(100, named=True), 2), (Bad(4711, known=False), 21)],
    ids=["not named", "named", "unknown"],
)
def test_one_bad_event_of_a_thousand_costs_few_requests(place: int, bad: Bad, most: int) -> None:
    run = send(1000, {place: bad})

    assert (run.rejected, len(run.passed)) == ([str(place)], 999)
    assert run.posts <= most


def test_a_named_event_costs_one_request_each() -> None:
    run = send(1000, {number: Bad(100, named=True) for number in range(0, 1000, 100)})

    assert (run.posts, len(run.rejected), len(run.passed)) == (11, 10, 990)


def test_a_thousand_bad_events_cost_less_than_two_requests_each() -> None:
    run = send(1000, {number: Bad(100) for number in range(1000)})

    assert (run.posts, len(run.rejected)) == (1999, 1000)


@pytest.mark.parametrize("size", [2, 3, 1000])
def test_an_unknown_code_that_follows_no_event_is_the_datasets_after_four_requests(size: int) -> None:
    run = send(size, {number: Bad(4711, known=False) for number in range(size)})

    assert (run.end, run.passed, run.rejected) == ("blocked", [], [])
    assert run.posts <= 4


def test_an_unknown_code_for_a_lone_event_has_nothing_to_compare_with() -> None:
    run = send(1, {0: Bad(4711, known=False)})

    assert (run.end, run.posts) == ("alone", 1)


def test_a_code_that_was_an_events_once_is_not_probed_again() -> None:
    run = send(100, {0: Bad(4711, known=True, named=True), 50: Bad(4711, known=False)})

    assert (run.end, run.rejected) == ("done", ["0", "50"])


def send_to_a_failing_meta(size: int, bad: set[int], chance: float, dice: Random) -> Run:
    """Do what the relay does after many failures in a row: bad events always fail, the others by chance."""
    run, parts = Run(), Parts(batch(size))
    while part := parts.next():
        run.posts += 1
        if run.posts > 64:
            break
        if dice.random() >= chance and not bad.intersection(int(item.event_id) for item in part):
            parts.passed(part)
            run.passed += [item.event_id for item in part]
            continue
        verdict = parts.failed_again(part, TRANSIENT)
        if isinstance(verdict, Sendable):
            run.rejected.append(verdict.event_id)
        elif verdict != "probe":
            run.end = verdict
            break
    return run


@pytest.mark.parametrize(
    ("size", "bad"), [(4, {1}), (10, {0}), (10, {3}), (16, {1, 5, 9}), (300, {7, 150, 298}), (1000, {500})]
)
def test_events_that_alone_provoke_a_passing_failure_are_found_within_the_budget(size: int, bad: set[int]) -> None:
    run = send_to_a_failing_meta(size, bad, 0, Random(1))

    assert sorted(map(int, run.rejected)) == sorted(bad)
    assert len(run.passed) == size - len(bad)


def test_a_failure_that_hits_all_blames_nobody_and_costs_four_requests() -> None:
    run = send_to_a_failing_meta(300, set(), 1, Random(1))

    assert (run.end, run.passed, run.rejected, run.posts) == ("blocked", [], [], 4)


@pytest.mark.parametrize("size", [3, 10, 100])
@pytest.mark.parametrize("chance", [0.5, 0.7, 0.8, 0.9])
def test_where_meta_is_half_down_hardly_ever_an_innocent_event_is_blamed(size: int, chance: float) -> None:
    dice = Random(1)
    blamed = sum(len(send_to_a_failing_meta(size, set(), chance, dice).rejected) for _ in range(500))

    assert blamed <= 0.005 * 500 * size


def test_nobody_is_blamed_when_what_failed_alone_passed_later() -> None:
    parts = Parts(batch(20))
    parts.passed(parts.next())
    suspect, lucky = batch(2)
    parts._stack = [[suspect], [lucky]]
    assert parts.failed_again(parts.next(), TRANSIENT) == "probe"
    parts._stack.reverse()
    parts.passed(parts.next())
    verdicts = [parts.failed_again(parts.next(), TRANSIENT) for _ in range(5)]

    assert verdicts == ["probe"] * 4 + ["blocked"]


def test_halves_come_in_order() -> None:
    parts = Parts(batch(5))
    parts.too_large(parts.next())

    assert [[item.event_id for item in parts.next()] for _ in range(3)] == [["0", "1"], ["2", "3", "4"], []]


def test_an_empty_batch_has_no_part() -> None:
    parts = Parts([])

    assert parts.empty
    assert parts.next() == ()


@given(st.integers(2, 60), st.lists(st.sampled_from([(1, None), (1, 5), (2, None)]), min_size=1), st.data())
def test_codes_that_nobody_knows_make_no_dead_letter_while_nothing_passes(
    size: int, codes: list[tuple[int, int | None]], data: st.DataObject
) -> None:
    parts, posts = Parts(batch(size)), 0
    while part := parts.next():
        posts += 1
        code = data.draw(st.sampled_from(codes))
        verdict = parts.failed_again(part, code) if data.draw(st.booleans()) else parts.unknown(part, code)
        assert isinstance(verdict, str)
        if verdict != "probe":
            break

    assert posts <= 4


def test_probes_that_fail_each_in_another_way_blame_neither_the_dataset_nor_an_event() -> None:
    parts = Parts(batch(10))
    verdicts = [parts.unknown(parts.next(), (code, None)) for code in (1, 1, 2, 3)]

    assert verdicts == ["probe", "probe", "probe", "alone"]


def test_the_same_code_with_another_subcode_is_another_code() -> None:
    parts = Parts(batch(10))
    verdicts = [parts.unknown(parts.next(), (100, subcode)) for subcode in (None, None, 5, None)]

    assert verdicts[-1] == "alone"


def test_what_begins_to_hit_all_events_in_the_middle_of_a_batch_makes_a_few_dead_letters_at_most() -> None:
    parts, culprits, verdict = Parts(batch(1000)), 0, "probe"
    assert parts.unknown(parts.next(), (4711, None)) == "probe"
    parts.passed(parts.next())
    while verdict == "probe" and (part := parts.next()):
        found = parts.unknown(part, (4711, None))
        culprits += isinstance(found, Sendable)
        verdict = "probe" if isinstance(found, Sendable) else found

    assert (verdict, culprits) == ("blocked", 3)


@pytest.mark.parametrize("refusal", ["too large", "an event's own"])
def test_a_probe_that_is_refused_for_a_reason_of_its_own_is_out_of_the_count(refusal: str) -> None:
    parts = Parts(batch(100))
    assert parts.unknown(parts.next(), (4711, None)) == "probe"
    probe = parts.next()
    culprit = parts.too_large(probe) if refusal == "too large" else parts.rejected(probe, None)
    assert [parts.unknown(parts.next(), (4711, None)) for _ in range(2)] == ["probe", "probe"]
    first_again = parts.next()
    assert parts.unknown(first_again, (4711, None)) == "probe"
    verdicts = [parts.unknown(parts.next(), (4711, None)) for _ in range(3)]

    assert culprit is probe[0]
    assert [item.event_id for item in first_again] == ["50"]
    assert verdicts == ["probe", "probe", "blocked"]


@pytest.mark.parametrize("refusal", ["too large", "an event's own"])
def test_no_event_gets_lost_when_every_probe_is_refused_for_a_reason_of_its_own(refusal: str) -> None:
    parts = Parts(batch(100))
    assert parts.unknown(parts.next(), (4711, None)) == "probe"
    for _ in range(3):
        probe = parts.next()
        assert parts.too_large(probe) if refusal == "too large" else parts.rejected(probe, None)
    rest = parts.next()

    assert (len(rest), parts.empty) == (97, True)


@pytest.mark.parametrize("bad", [Bad(100), Bad(4711, known=False)], ids=["known", "unknown"])
def test_the_bound_holds_wherever_the_bad_event_stands(bad: Bad) -> None:
    posts = [send(1000, {place: bad}).posts for place in range(0, 1000, 9)]

    assert max(posts) <= 21
