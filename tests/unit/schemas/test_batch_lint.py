from typing import Any

from schemas import Problem
from schemas.batch_lint import BatchLint
from tests.fakes.events import mixed, page_view, purchase


def found_in(*events: dict[str, Any]) -> list[Problem]:
    batch = BatchLint()
    for event in events:
        batch.add(event)
    return batch.problems()


def from_one_address(people: int) -> list[dict[str, Any]]:
    return [
        page_view(f"page-{n}", 1_700_000_000, user_data={"client_ip_address": "8.8.8.8", "fbp": f"fb.1.1.{n % people}"})
        for n in range(100)
    ]


def test_events_with_ids_and_addresses_of_their_own_have_no_problem() -> None:
    assert found_in(*mixed(2000, seed=1)) == []


def test_one_id_on_purchases_of_different_times_is_found_with_its_places() -> None:
    events = [purchase("session-7", 1_700_000_000 + n) for n in range(40)]
    (problem,) = found_in(purchase("order-1"), *events)

    assert (problem.path, problem.code) == ("event_id", "event_id_reused")
    assert "(1 such ids; the most used one on 40 events, first on events 1, 2, 3)" in problem.message


def test_one_id_on_three_kinds_of_events_is_found() -> None:
    names = ("PageView", "AddToCart", "Purchase")

    (problem,) = found_in(*(purchase("visitor-7", 1_700_000_000, event_name=name) for name in names))

    assert problem.code == "event_id_reused"


def test_a_reuse_behind_many_repetitions_is_found() -> None:
    same = [purchase("order-7", 1_700_000_000)] * 50

    assert [problem.code for problem in found_in(*same, purchase("order-7", 1_700_000_001))] == ["event_id_reused"]


def test_a_page_view_and_its_purchase_may_share_an_id() -> None:
    assert found_in(page_view("order-7", 1_700_000_000), purchase("order-7", 1_700_000_005)) == []


def test_a_repeated_event_is_no_reuse() -> None:
    assert found_in(*[purchase("order-7", 1_700_000_000)] * 5) == []


def test_one_address_of_many_people_is_found() -> None:
    (problem,) = found_in(*from_one_address(people=100))

    assert (problem.path, problem.code) == ("user_data.client_ip_address", "ip_of_many_people")
    assert "on 100 of 100 events" in problem.message


def test_one_address_of_a_few_people_is_an_office() -> None:
    assert found_in(*from_one_address(people=5)) == []


def test_an_address_of_a_small_part_of_all_events_is_a_carriers() -> None:
    assert found_in(*from_one_address(people=100), *mixed(8000, seed=2)) == []


def test_odd_events_are_counted_and_nothing_else() -> None:
    assert (
        found_in({}, {"event_id": 7, "user_data": []}, {"event_id": "", "user_data": {"client_ip_address": [1]}}) == []
    )


def test_a_message_holds_no_id_and_no_address() -> None:
    events = [event | {"event_id": "canary-7", "event_time": n} for n, event in enumerate(from_one_address(people=100))]

    assert not [problem for problem in found_in(*events) if "canary" in problem.message or "8.8" in problem.message]
