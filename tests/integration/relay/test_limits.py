"""Limits are followed before they are met, and a pause ends with one try: of one lane, of one dataset of a token."""

import json
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from capi_relay import Producer, keys
from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, OTHER, SHARING, TOKENS, MakeSite, Site
from worker.errors import StoreUnavailable
from worker.tick import resume_repaired

SAME_TOKEN = dict.fromkeys((DATASET, SHARING, OTHER), "token-a")
LANES = [f"{DATASET}/{number}" for number in range(4)]
SUCCESS_SECONDS = 2.0


@pytest.fixture
def one_token() -> Iterator[Simulator]:
    with Simulator(SAME_TOKEN) as simulator:
        yield simulator


def app_usage(percent: float) -> dict[str, str]:
    return {"X-App-Usage": json.dumps({"call_count": percent, "total_time": 1, "total_cputime": 1})}


def business_usage(percent: float, minutes: int = 0) -> dict[str, str]:
    entry = {"type": "ads_management", "call_count": percent, "estimated_time_to_regain_access": minutes}
    return {"X-Business-Use-Case-Usage": json.dumps({"123": [entry]})}


def account_usage(percent: float, seconds: int) -> dict[str, str]:
    return {"X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": percent, "reset_time_duration": seconds})}


def says(headers: dict[str, str], **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - details of a fault
    return [{"kind": "headers", "headers": headers, **more}]


def sharing_site(make_site: MakeSite, meta: Simulator) -> Site:
    """Return a site with three datasets of one token, an event in each."""
    site = make_site(meta.url)
    site.write_datasets(SAME_TOKEN)
    for dataset_id in SAME_TOKEN:
        site.enqueue("a", dataset_id=dataset_id)
    return site


def let_the_pauses_end_for(site: Site, *dataset_ids: str) -> None:
    for dataset_id in dataset_ids:
        site.let_the_pause_end(dataset_id)


@pytest.mark.parametrize(
    ("headers", "least"),
    [(business_usage(95, minutes=5), 300), (account_usage(97, seconds=120), 120), (business_usage(96), 60)],
    ids=["minutes", "seconds", "no hint"],
)
def test_a_success_at_95_percent_delivers_and_pauses_the_dataset(
    site: Site, meta: Simulator, headers: dict[str, str], least: float
) -> None:
    meta.faults(says(headers, dataset=DATASET))
    for dataset_id in TOKENS:
        site.enqueue("a", dataset_id=dataset_id)
    site.run_all()
    site.enqueue("b")
    site.hand.ripen()
    pause = site.counts().pause

    assert site.doors() == {"delivered": 1}
    assert pause
    assert (pause.reason, pause.scope) == ("rate_limited", "dataset")
    assert least - 5 < site.pause_seconds() <= 1.2 * least
    assert site.claim() is None
    assert [site.counts(each).pause for each in (SHARING, OTHER)] == [None, None]


def test_a_store_that_is_away_for_the_pause_is_waited_for_by_the_settle(
    site: Site, meta: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **_more: object) -> None:
        raise StoreUnavailable

    meta.faults(says(app_usage(96)))
    monkeypatch.setattr(site.runtime.store.admin, "pause", away)
    site.enqueue("a")
    site.turn()

    assert site.doors() == {"delivered": 1}
    assert site.counts().stored == 0


def test_an_app_at_95_percent_pauses_all_its_datasets_and_they_end_one_after_the_other(
    make_site: MakeSite, one_token: Simulator
) -> None:
    one_token.faults(says(app_usage(98)))
    site = sharing_site(make_site, one_token)
    site.turn()
    site.hand.ripen()
    ends = [site.pause_seconds(dataset_id) for dataset_id in sorted(SAME_TOKEN)]

    assert one_token.ledger()["requests"] == 1
    assert [4 < later - earlier < 6 for earlier, later in pairwise(ends)] == [True, True]
    assert 55 < ends[0] <= 72


def test_while_a_limit_of_the_app_lasts_one_dataset_tries_for_all(make_site: MakeSite, one_token: Simulator) -> None:
    one_token.faults([{"kind": "code", "code": 4}])
    site = sharing_site(make_site, one_token)
    site.turn()
    let_the_pauses_end_for(site, DATASET)
    site.run_all()
    pauses = [site.pause_seconds(dataset_id) for dataset_id in SAME_TOKEN]

    assert one_token.ledger()["requests"] == 2
    assert [pause > 100 for pause in pauses] == [True] * 3  # doubled for all of them


def test_one_success_resumes_all_datasets_of_the_token(make_site: MakeSite, one_token: Simulator) -> None:
    one_token.faults([{"kind": "code", "code": 4, "times": 1}])
    site = sharing_site(make_site, one_token)
    site.turn()
    let_the_pauses_end_for(site, SHARING)
    site.run_all()

    assert [site.doors(dataset_id) for dataset_id in SAME_TOKEN] == [{"delivered": 1}] * 3
    assert site.hand.store.admin.paused_ids() == []


def test_a_success_of_one_dataset_does_not_end_a_pause_that_is_another_datasets_own(
    make_site: MakeSite, one_token: Simulator
) -> None:
    one_token.faults([{"kind": "code", "code": 4, "times": 1}])
    site = sharing_site(make_site, one_token)
    site.turn()
    site.hand.store.admin.pause(OTHER, reason="blocked", seconds=900)
    let_the_pauses_end_for(site, DATASET)
    site.run_all()

    assert [site.doors(dataset_id) for dataset_id in (DATASET, SHARING, OTHER)] == [{"delivered": 1}] * 2 + [{}]


def test_a_try_that_passes_near_the_limit_resumes_nobody(make_site: MakeSite, one_token: Simulator) -> None:
    one_token.faults([{"kind": "code", "code": 4, "times": 1}, *says(app_usage(96))])
    site = sharing_site(make_site, one_token)
    site.turn()
    let_the_pauses_end_for(site, DATASET)
    site.run_all()

    assert one_token.ledger()["requests"] == 2
    assert sum(site.doors(dataset_id) == {"delivered": 1} for dataset_id in SAME_TOKEN) == 1
    assert all(site.pause_seconds(dataset_id) > 50 for dataset_id in SAME_TOKEN)


@pytest.mark.parametrize(("percent", "least"), [(74, 0), (75, 1), (85, 4), (94, 13.9)])
def test_from_75_percent_a_lane_rests_after_its_batch_and_no_try_is_added(
    site: Site, meta: Simulator, percent: float, least: float
) -> None:
    meta.faults(says(app_usage(percent)))
    site.enqueue("a")
    site.turn()
    site.enqueue("b")
    rests = site.held_seconds()

    assert (site.doors(), site.counts().pause, site.hand.state().get("tries")) == ({"delivered": 1}, None, None)
    assert max(0.0, least - 0.5) <= max(0.0, rests) <= 1.2 * least


def test_a_rest_ends_and_delivery_goes_on(site: Site, meta: Simulator) -> None:
    meta.faults(says(app_usage(80), times=1))
    site.enqueue("a")
    site.turn()
    site.enqueue("b")
    site.hand.ripen()
    site.turn()

    assert site.doors() == {"delivered": 2}
    assert site.held_seconds() < 0


def test_a_refusal_near_the_limit_stops_the_search_for_the_culprit(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "subcode": 2804007, "headers": app_usage(96)}])
    site.enqueue("good", "poison", *map(str, range(20)))
    tally = site.turn()

    assert tally.requests == 1
    assert (site.doors(), site.counts().stored) == ({}, 22)
    assert site.pause_seconds() > 50


def four_lanes(site: Site) -> None:
    """Give the dataset four lanes with events in each."""
    site.path.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "token-a"\nlanes = 4\n')
    producer = Producer(site.settings.redis_url, datasets_path=site.path, linger_seconds=0, deadline_seconds=20)
    producer.enqueue_many([purchase(f"order-{number}") for number in range(60)], dataset_id=DATASET)
    producer.close()
    assert all(site.hand.length(lane) for lane in LANES)


def let_the_pause_end_for_all_lanes(site: Site) -> None:
    site.hand.redis.hset(keys.dataset(0, DATASET), "until", 1)
    for lane in LANES:
        site.hand.ripen(lane)


def all_at_once(site: Site) -> None:
    """Let eight pumps of as many threads take what they can get at the same moment."""
    start = threading.Barrier(8)

    def pump() -> None:
        start.wait()
        while lease := site.claim():
            site.run(lease)

    threads = [threading.Thread(target=pump) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("code", [803, 190, 80004], ids=["dataset", "token", "limit"])
def test_when_a_pause_ends_and_nothing_is_mended_one_lane_of_four_sends_one_request(
    site: Site, meta: Simulator, code: int
) -> None:
    four_lanes(site)
    meta.faults([{"kind": "code", "code": code}])
    all_at_once(site)
    failures = []
    for _ in range(3):
        meta.clear()
        let_the_pause_end_for_all_lanes(site)
        all_at_once(site)
        failures.append((meta.ledger()["requests"], site.pause_seconds() > 100))

    assert failures == [(1, True)] * 3
    assert site.counts().stored == 60


def test_when_a_pause_ends_and_all_is_well_every_lane_goes_on_within_a_second_of_the_answer(
    site: Site, meta: Simulator
) -> None:
    four_lanes(site)
    meta.faults([{"kind": "code", "code": 803, "times": 4}])
    all_at_once(site)
    meta.faults()
    let_the_pause_end_for_all_lanes(site)
    began = time.monotonic()
    while site.counts().stored and time.monotonic() < began + 20:
        site.run_all()
        time.sleep(0.02)

    assert site.doors() == {"delivered": 60}
    assert time.monotonic() - began < SUCCESS_SECONDS
    assert meta.ledger()["duplicates"] == 0


@pytest.mark.parametrize("where", ["datasets file", "token file"])
def test_a_new_token_resumes_within_two_seconds(site: Site, meta: Simulator, tmp_path: Path, where: str) -> None:
    secret = tmp_path / "token"
    secret.write_text("token-a")
    site.path.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken_file = "{secret}"\n')
    site.runtime.datasets._file._file._look_again = float("-inf")  # type: ignore[union-attr] # it has a file
    meta.faults([{"kind": "code", "code": 190, "times": 1}])
    site.enqueue("a")
    site.turn()
    assert site.resume_repaired() == []  # and by now the pause is a minute old
    began = time.monotonic()
    if where == "token file":
        secret.write_text("token-c")
    else:
        site.path.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "token-c"\n')
    while not (resumed := resume_repaired(site.runtime.store, site.runtime.datasets)):
        assert time.monotonic() < began + 10
        time.sleep(1)  # the heartbeat's own period
    site.turn()

    assert resumed == [DATASET]
    assert time.monotonic() - began < SUCCESS_SECONDS
    assert site.doors() == {"delivered": 1}


def test_a_tick_asks_once_about_all_paused_datasets(site: Site) -> None:
    for number in range(50):
        site.hand.store.admin.pause(str(5000 + number), reason="no_token", seconds=None)
    site.resume_repaired()
    site.hand.redis.config_resetstat()
    assert resume_repaired(site.runtime.store, site.runtime.datasets) == []
    calls: Any = site.hand.redis.info("commandstats")

    assert calls["cmdstat_evalsha"]["calls"] == 1
    assert calls["cmdstat_smembers"]["calls"] == 1
