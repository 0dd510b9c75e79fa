"""An event that was delivered is not sent again within the window; what was not delivered is."""

import pytest
from celery import Celery

from capi_relay import keys
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, OTHER, TOKENS, MakeSite, Site
from worker.duties import Duties
from worker.hints import Hints

DAY_MS = 24 * 3_600_000


def sent_ids(meta: Simulator, dataset_id: str = DATASET) -> list[str]:
    return [line["event_id"] for line in meta.events(dataset_id)]


def seen_keys(site: Site) -> list[bytes]:
    return sorted(site.hand.redis.scan_iter(match=keys.seen(0, DATASET, 0).replace("{", r"\{")[:-1] + "*"))


def slot_of(site: Site) -> int:
    """Return the slot of 12 hours that is now."""
    return site.hand.now_ms() // (12 * 3_600_000)


def age_the_memory(site: Site, days: int) -> None:
    """Move what is remembered so many days into the past."""
    for name in seen_keys(site):
        slot = int(name.rpartition(b":")[2])
        site.hand.redis.rename(name, keys.seen(0, DATASET, slot - days * DAY_MS // (12 * 3_600_000)))


def test_what_was_delivered_is_not_sent_again(site: Site, meta: Simulator) -> None:
    site.enqueue("a", "b")
    site.turn()
    site.enqueue("b", "c", "a")
    site.turn()

    assert sent_ids(meta) == ["a", "b", "c"]
    assert site.doors() == {"delivered": 3, "duplicate": 2}
    assert site.counts().stored == 0


def test_a_thousand_times_the_same_event_is_sent_once(site: Site, meta: Simulator) -> None:
    site.enqueue(*["same"] * 1000)
    site.turn()

    assert sent_ids(meta) == ["same"]
    assert site.doors() == {"delivered": 1, "duplicate": 999}


def test_the_event_of_another_dataset_is_another_event(site: Site, meta: Simulator) -> None:
    for dataset_id in (DATASET, OTHER):
        site.enqueue("a", dataset_id=dataset_id)
    site.run_all()

    assert (sent_ids(meta), sent_ids(meta, OTHER)) == (["a"], ["a"])


def test_after_the_window_it_is_sent_again(site: Site, meta: Simulator) -> None:
    site.enqueue("a")
    site.turn()
    age_the_memory(site, days=2)
    site.enqueue("a")
    site.turn()
    assert site.doors() == {"delivered": 1, "duplicate": 1}

    age_the_memory(site, days=1)
    site.enqueue("a")
    site.turn()
    assert sent_ids(meta) == ["a", "a"]


def test_the_corrected_resend_of_a_refused_event_is_sent(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "event_id_prefix": "a"}])
    site.enqueue("a", "b")
    site.run_all()
    meta.faults()
    site.enqueue("a")
    site.run_all()

    assert sorted(sent_ids(meta)) == ["a", "b"]
    assert site.doors() == {"delivered": 2, "rejected": 1}


def test_the_second_of_two_in_one_batch_is_sent_where_the_first_is_refused(site: Site, meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "event_id_prefix": "a"}])
    site.enqueue("a", "b", "a")
    site.turn()
    meta.faults()
    site.run_all()

    assert sorted(sent_ids(meta)) == ["a", "b"]
    assert site.doors() == {"delivered": 2, "rejected": 1}


def test_with_dedup_seconds_0_every_event_is_sent_and_none_remembered(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site()
    site.path.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "{TOKENS[DATASET]}"\ndedup_seconds = 0\n')
    file = site.runtime.datasets._file._file
    assert file
    file._look_again = float("-inf")
    site.enqueue("a", "a")
    site.turn()

    assert sent_ids(meta) == ["a", "a"]
    assert seen_keys(site) == []


def test_at_the_cap_the_oldest_is_forgotten_and_counted(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_DEDUP_BYTES="264")  # four events
    site.enqueue("a", "b", "c")
    site.turn()
    age_the_memory(site, days=1)
    site.enqueue("d", "e")
    site.turn()
    site.enqueue("a", "d")
    site.turn()

    assert sent_ids(meta) == ["a", "b", "c", "d", "e", "a"]
    assert (site.counter("forgotten"), site.hand.size("seen")) == (3, 3)


def test_at_the_cap_without_anything_to_forget_nothing_is_remembered(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_DEDUP_BYTES="0")
    site.enqueue("a")
    site.turn()
    site.enqueue("a")
    site.turn()

    assert sent_ids(meta) == ["a", "a"]
    assert site.counter("forgotten") == 2


@pytest.mark.parametrize("lanes", [1, 4])
def test_repetitions_meet_whatever_the_number_of_lanes(make_site: MakeSite, meta: Simulator, lanes: int) -> None:
    site = make_site()
    site.enqueue(*[f"e{n % 10}" for n in range(40)])
    for _ in range(lanes):
        site.run_all()

    assert sorted(sent_ids(meta)) == [f"e{n}" for n in range(10)]


def test_a_slot_is_kept_for_the_window_and_a_quarter(site: Site) -> None:
    site.enqueue("a")
    site.turn()
    (name,) = seen_keys(site)

    assert 59 * 3_600_000 < site.hand.redis.pttl(name) <= 60 * 3_600_000


def test_what_is_forgotten_because_its_time_ran_out_makes_room_for_others(make_site: MakeSite) -> None:
    site = make_site(CAPI_DEDUP_BYTES="264")  # four events
    site.enqueue(*"1234", dataset_id=OTHER)
    site.turn()
    assert site.hand.redis.delete(keys.seen(0, OTHER, slot_of(site))) == 1  # as Redis does, which tells nobody
    Duties(site.runtime, Hints(Celery())).sweep()
    site.enqueue(*"abc")
    site.turn()
    site.enqueue("a")
    site.turn()

    assert site.doors() == {"delivered": 3, "duplicate": 1}
    assert site.hand.size("seen") == 3
