"""Requests that Meta refuses for an event, for an unknown reason, or for their size."""

import json

from tests.fakes.simulator import Simulator
from tests.integration.graph.servers import OK, Serve, answers, in_turn
from tests.integration.relay.site import DATASET, OTHER, MakeSite, Site
from worker.batch import Tally

UNKNOWN_CODE = 4711


def refusal(index: int) -> bytes:
    """Return Meta's answer to a batch whose event at this place is bad."""
    error = {
        "message": "Invalid parameter",
        "code": 100,
        "error_subcode": 2804019,
        "error_user_title": "Server Side Api Parameter Error",
        "error_user_msg": f'Unexpected key "x" on param "$[\'data\'][{index}]".',
        "error_data": {"blame_field_specs": [["custom_data", "x"]]},
        "fbtrace_id": "Atrace",
    }
    body = json.dumps({"error": error}).encode()
    return (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


def answer(received: int) -> bytes:
    body = b'{"events_received":%d}' % received
    return OK.partition(b"Content-Length")[0] + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_an_event_that_meta_names_is_rejected_and_the_rest_goes_out_in_one_request(
    make_site: MakeSite, serve: Serve
) -> None:
    server = serve(in_turn(answers(refusal(1)), answers(answer(3))))
    site = make_site(server.url)
    site.enqueue("a", "b", "c", "d")
    tally = site.turn()
    (letter,) = site.letters()
    second = json.loads(server.seen[1].partition(b"\r\n\r\n")[2])

    assert (tally.requests, site.doors()) == (2, {"delivered": 3, "rejected": 1})
    assert [event["event_id"] for event in second["data"]] == ["a", "c", "d"]
    assert (letter.event_id, letter.code, letter.subcode, letter.fbtrace_id) == ("b", 100, 2804019, "Atrace")
    assert letter.attempts == 1
    assert "custom_data.x: Meta names this field" in letter.cause


def test_a_poisonous_event_that_nobody_names_is_found_by_halving(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue(*(f"good-{number}" for number in range(70)), "poison", *(f"fine-{number}" for number in range(29)))
    tally = site.turn()
    (letter,) = site.letters()

    assert site.doors() == {"delivered": 99, "rejected": 1}
    assert (letter.event_id, letter.event_name, letter.reason) == ("poison", "Purchase", "rejected")
    assert tally.requests <= 2 * 7 + 1
    assert meta.ledger()["duplicates"] == 0
    assert site.hand.state() == {}


def test_an_unknown_code_that_follows_one_event_is_that_events(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "code": UNKNOWN_CODE}])
    site.enqueue(*map(str, range(20)), "poison", *map(str, range(20, 40)))
    site.turn()
    (letter,) = site.letters()

    assert site.doors() == {"delivered": 40, "rejected": 1}
    assert (letter.event_id, letter.code) == ("poison", UNKNOWN_CODE)


def test_an_unknown_code_that_follows_every_event_pauses_the_dataset(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": UNKNOWN_CODE}])
    site.enqueue(*map(str, range(40)))
    tally = site.turn()
    pause = site.counts().pause

    assert pause
    assert (pause.reason, pause.code) == ("unknown_code", str(UNKNOWN_CODE))
    assert (site.counts().stored, site.doors(), tally.requests) == (40, {}, 4)
    assert site.claim() is None


def test_an_unknown_code_for_a_lone_event_is_tried_again(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": UNKNOWN_CODE, "times": 1}])
    site.enqueue("a")
    site.turn()
    waits = site.held_seconds()
    site.hand.ripen()
    site.turn()

    assert waits <= 1
    assert site.doors() == {"delivered": 1}
    assert site.counter("possible_duplicates") == 0


def test_a_request_that_is_too_large_is_halved_and_the_size_remembered(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "too_large", "bytes": 4_000}])
    site.enqueue(*map(str, range(8)))
    tally = site.turn()
    site.enqueue(*map(str, range(10, 18)))
    lease = site.claim()

    assert (tally.requests, site.doors()) == (7, {"delivered": 8})
    assert lease
    assert len(lease.entries) == 2


def test_an_event_too_large_by_itself_is_rejected(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "too_large", "bytes": 4_000}])
    site.enqueue("small")
    site.enqueue("large", custom_data={"value": 1, "currency": "EUR", "note": "x" * 5_000})
    site.turn()

    assert site.doors() == {"delivered": 1, "rejected": 1}
    assert [letter.event_id for letter in site.letters()] == ["large"]


def test_a_batch_of_poison_uses_up_its_budget_and_goes_on_at_the_next_lease(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue(*(f"poison-{number}" for number in range(100)))
    first = site.turn()
    waits = site.held_seconds()
    turns = 1
    while site.counts().stored:
        site.hand.ripen()
        site.turn()
        turns += 1

    assert first.requests == 64
    assert 0 < waits <= 1
    assert site.doors() == {"rejected": 100}
    assert turns <= 5


def test_a_thousand_poisonous_events_cost_less_than_two_requests_each_and_hold_up_nobody(
    site: Site, meta: Simulator
) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue(*(f"poison-{number}" for number in range(1000)))
    site.enqueue("good", dataset_id=OTHER)
    tally, longest = Tally(), 0
    while site.counts().stored or site.counts(OTHER).stored:
        site.hand.ripen()
        lease = site.claim()
        assert lease
        before = tally.requests
        site.relay.run(lease, tally)
        longest = max(longest, tally.requests - before)

    assert (site.doors(), site.doors(OTHER)) == ({"rejected": 1000}, {"delivered": 1})
    assert tally.requests <= 1999 + 1
    assert longest <= 64


def test_a_dataset_wide_refusal_without_a_known_code_never_makes_a_dead_letter(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": 100}])
    site.enqueue(*map(str, range(300)))
    for _ in range(4):
        site.turn()
        site.let_the_pause_end()

    assert (site.counts().stored, site.doors()) == (300, {})
    assert meta.ledger()["requests"] <= 4 * 4


def test_what_was_rejected_is_not_sent_when_a_second_worker_takes_over(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007}])
    site.enqueue("poison", "good")
    zombie = site.claim()
    assert zombie
    site.hand.ripen()
    site.turn()
    requests = meta.ledger()["requests"]
    site.run(zombie)

    assert meta.ledger()["requests"] == requests
    assert site.doors() == {"delivered": 1, "rejected": 1}
    assert len(list(site.hand.store.dead.read(DATASET))) == 1
