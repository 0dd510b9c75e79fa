"""Which fault a request meets."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from simulator.faults import KINDS, NONSENSE, REFUSALS, Faults, fault_of
from simulator.intake import Posted
from simulator.stand_ins import STAND_INS


def posted(*event_ids: str, token: str = "token", size_bytes: int = 1000) -> Posted:
    return Posted(token, [{"event_id": event_id} for event_id in event_ids], readable=True, size_bytes=size_bytes)


def faults_with(*specs: Mapping[str, Any], seed: int = 0) -> Faults:
    faults = Faults(seed)
    faults.replace(list(specs))
    return faults


def picked(faults: Faults, dataset: str = "123", request: Posted | None = None) -> str | None:
    fault = faults.pick(dataset, request or posted("a"))
    return fault.kind if fault else None


def test_no_fault_is_met_where_none_is_switched_on() -> None:
    assert picked(Faults(0)) is None


def test_a_fault_for_one_dataset_leaves_the_others_alone() -> None:
    faults = faults_with({"kind": "html", "dataset": "123"})

    assert (picked(faults, "123"), picked(faults, "456")) == ("html", None)


def test_a_fault_for_the_star_hits_every_dataset() -> None:
    faults = faults_with({"kind": "html", "dataset": "*"})

    assert (picked(faults, "123"), picked(faults, "456")) == ("html", "html")


def test_a_fault_is_over_when_its_times_are_used_up() -> None:
    faults = faults_with({"kind": "html", "times": 2})

    assert [picked(faults) for _ in range(4)] == ["html", "html", None, None]


def test_the_list_tells_how_often_a_fault_fired_and_what_it_has_left() -> None:
    faults = faults_with({"kind": "html", "times": 3})
    picked(faults)

    assert [(fault["kind"], fault["times"], fault["fired"]) for fault in faults.listed()] == [("html", 2, 1)]


def test_the_first_fault_that_fits_is_played() -> None:
    faults = faults_with({"kind": "html", "dataset": "456"}, {"kind": "torn", "times": 1}, {"kind": "hang"})

    assert [picked(faults), picked(faults)] == ["torn", "hang"]


def test_the_same_seed_plays_the_same_faults() -> None:
    one, other = (faults_with({"kind": "html", "probability": 0.5}, seed=7) for _ in range(2))

    assert [picked(one) for _ in range(50)] == [picked(other) for _ in range(50)]


def test_a_probability_of_one_half_hits_some_and_spares_some() -> None:
    faults = faults_with({"kind": "html", "probability": 0.5})

    assert {picked(faults) for _ in range(50)} == {"html", None}


def test_a_poison_fault_hits_only_requests_with_such_an_event() -> None:
    faults = faults_with({"kind": "poison", "event_id_prefix": "bad-"})

    assert (picked(faults, request=posted("a", "bad-1")), picked(faults, request=posted("a"))) == ("poison", None)


def test_too_large_hits_only_requests_above_its_bytes() -> None:
    faults = faults_with({"kind": "too_large", "bytes": 500})

    sizes = [picked(faults, request=posted("a", size_bytes=size)) for size in (500, 501)]

    assert sizes == [None, "too_large"]


def test_a_fault_for_one_token_spares_the_next_token() -> None:
    old, new = posted("a", token="old"), posted("a", token="new")
    faults = faults_with({"kind": "token_revoked", "token_fingerprint": old.token_fingerprint})

    assert (picked(faults, request=old), picked(faults, request=new)) == ("token_revoked", None)


def test_a_reset_is_picked_before_the_request_is_read_and_nothing_else_is() -> None:
    faults = faults_with({"kind": "html"}, {"kind": "reset_before"})
    before, after = faults.pick("123", None), faults.pick("123", posted("a"))

    assert before is not None
    assert after is not None
    assert (before.kind, after.kind) == ("reset_before", "html")


@pytest.mark.parametrize(
    "specs",
    [{}, "html", ["html"], [{"dataset": "1"}], [{"kind": "nonsense"}], [{"kind": "html", "colour": 1}]],
)
def test_what_is_no_list_of_faults_is_refused_and_changes_nothing(specs: Sequence[Any]) -> None:
    faults = faults_with({"kind": "html"})

    with pytest.raises(ValueError, match="fault"):
        faults.replace(specs)
    assert picked(faults) == "html"


def test_every_kind_that_stands_in_for_the_answer_has_one() -> None:
    assert STAND_INS.keys() == REFUSALS | NONSENSE


def test_every_kind_can_be_switched_on_without_details() -> None:
    assert {fault_of({"kind": kind}).kind for kind in KINDS} == KINDS
