"""Answers that are about a dataset or a token: everything waits, and nothing becomes a dead letter."""

from typing import Any

import pytest

from tests.fakes.events import bad_events
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, OTHER, SHARING, TOKENS, MakeSite, Site
from worker.graph import GraphClient
from worker.tokens import AccessToken

FINGERPRINT_A = AccessToken("token-a").fingerprint


def enqueue_everywhere(site: Site) -> None:
    for dataset_id in TOKENS:
        site.enqueue("a", "b", dataset_id=dataset_id)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "code", "code": 100, "subcode": 33},
        {"kind": "code", "code": 803},
        {"kind": "code", "code": 10},
        {"kind": "redirect"},
    ],
    ids=["100/33", "803", "10", "redirect"],
)
def test_an_answer_about_the_dataset_pauses_it_alone(site: Site, meta: Simulator, fault: dict[str, Any]) -> None:
    meta.faults([{**fault, "dataset": DATASET}])
    enqueue_everywhere(site)
    site.run_all()
    pause = site.counts().pause

    assert pause
    assert pause.reason == "blocked"
    assert 890 < site.pause_seconds() <= 1080
    assert (site.counts().stored, site.doors()) == (2, {})
    assert [site.doors(dataset_id) for dataset_id in (SHARING, OTHER)] == [{"delivered": 2}] * 2


def test_a_dataset_that_stays_blocked_is_asked_less_and_less_often(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": 803}])
    site.enqueue("a")
    pauses = []
    for _ in range(4):
        site.turn()
        pauses.append(site.pause_seconds() / 60)
        site.let_the_pause_end()
    meta.faults()
    site.turn()

    assert [least - 1 < pause <= 1.2 * least for pause, least in zip(pauses, (15, 30, 60, 60), strict=True)] == [
        True
    ] * 4
    assert site.doors() == {"delivered": 1}
    assert site.hand.store.admin.paused_ids() == []


def test_a_dead_token_pauses_every_dataset_that_has_it_and_no_other(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "token_revoked", "token_fingerprint": FINGERPRINT_A}])
    enqueue_everywhere(site)
    site.run_all()
    pauses = [site.counts(dataset_id).pause for dataset_id in (DATASET, SHARING, OTHER)]

    assert [pause and (pause.reason, pause.fingerprint) for pause in pauses] == [
        ("token", FINGERPRINT_A),
        ("token", FINGERPRINT_A),
        None,
    ]
    assert meta.ledger()["requests"] == 2
    assert (site.counts().stored, site.counts(SHARING).stored, site.doors(OTHER)) == (2, 2, {"delivered": 2})


def test_a_new_token_resumes_at_once_and_the_old_one_does_not(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "token_revoked", "token_fingerprint": FINGERPRINT_A}])
    site.enqueue("a")
    site.turn()
    unchanged = site.resume_repaired()
    site.write_datasets({**TOKENS, DATASET: "token-c"})
    resumed = site.resume_repaired()
    site.turn()

    assert (unchanged, resumed) == ([], [DATASET])
    assert site.doors() == {"delivered": 1}
    assert site.counts(SHARING).pause


def test_a_token_that_was_replaced_while_its_request_was_under_way_is_not_held_against_the_new_one(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta.faults([{"kind": "token_revoked", "token_fingerprint": FINGERPRINT_A}])
    post = GraphClient.post

    def post_while_the_file_changes(client: GraphClient, *arguments: Any) -> Any:  # noqa: ANN401 - those of post
        answer = post(client, *arguments)
        site.write_datasets({**TOKENS, DATASET: "token-c"})
        return answer

    monkeypatch.setattr(GraphClient, "post", post_while_the_file_changes)
    site.enqueue("a")
    site.turn()
    monkeypatch.undo()
    site.turn()

    assert site.doors() == {"delivered": 1}
    assert [site.counts(dataset_id).pause is not None for dataset_id in TOKENS] == [False, True, False]


def test_a_rate_limit_of_the_app_pauses_for_as_long_as_meta_asks(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "rate_limited", "minutes": 5}])
    site.enqueue("a", dataset_id=DATASET)
    site.turn()
    site.hand.ripen()

    assert [site.counts(dataset_id).pause is not None for dataset_id in TOKENS] == [True, True, False]
    assert 295 < site.pause_seconds() <= 360
    assert 4 < site.pause_seconds(SHARING) - site.pause_seconds() < 6
    assert (site.doors(), site.hand.state().get("tries", "0")) == ({}, "0")
    assert site.claim() is None


def test_a_rate_limit_of_a_dataset_pauses_that_one_only(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "rate_limited", "code": 80004, "dataset": DATASET}])
    enqueue_everywhere(site)
    site.run_all()

    assert 55 < site.pause_seconds() <= 72
    assert [site.doors(dataset_id) for dataset_id in TOKENS] == [{}, {"delivered": 2}, {"delivered": 2}]


def test_a_rate_limit_without_a_hint_doubles_its_pause(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "code", "code": 80004}])
    site.enqueue("a")
    pauses = []
    for _ in range(3):
        site.turn()
        pauses.append(site.pause_seconds())
        site.let_the_pause_end()

    assert [base - 5 < pause <= 1.2 * base for pause, base in zip(pauses, (60, 120, 240), strict=True)] == [True] * 3


def test_a_limited_request_is_sent_again_without_a_doubt(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "rate_limited", "times": 1}])
    site.enqueue("a")
    site.turn()
    site.let_the_pause_end()
    site.turn()

    assert site.doors() == {"delivered": 1}
    assert (site.counter("possible_duplicates"), site.counter("requests")) == (0, 2)


@pytest.mark.parametrize("tokens", [{DATASET: ""}, {OTHER: "token-b"}], ids=["no token", "not in the file"])
def test_a_dataset_without_a_token_waits_for_one(make_site: MakeSite, meta: Simulator, tokens: dict[str, str]) -> None:
    site = make_site()
    site.write_datasets(tokens)
    site.enqueue("a", "b")
    site.turn()
    pause = site.counts().pause
    site.write_datasets(TOKENS)
    resumed = site.resume_repaired()
    site.turn()

    assert pause
    assert (pause.reason, pause.until_ms) == ("no_token", None)
    assert resumed == [DATASET]
    assert site.doors() == {"delivered": 2}
    assert meta.ledger()["requests"] == 1


def test_what_is_invalid_leaves_although_the_dataset_has_no_token(make_site: MakeSite) -> None:
    site = make_site()
    site.write_datasets({OTHER: "token-b"})
    site.enqueue("a")
    site.enqueue_events([bad_events()["unknown_key"]])
    site.run_all()

    assert (site.doors(), site.counts().stored) == ({"invalid": 1}, 1)


def test_a_persons_pause_is_not_ended_by_a_new_token(site: Site) -> None:
    site.hand.store.admin.pause(DATASET, reason="manual", seconds=None)

    assert site.resume_repaired() == []
    assert site.counts().pause
