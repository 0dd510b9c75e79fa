"""A dataset that has as many dead letters as it may have."""

from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, OTHER, TOKENS, MakeSite, Site


def refuse_all(meta: Simulator) -> None:
    meta.faults([{"kind": "poison", "event_id_prefix": "bad", "code": 100, "subcode": 2804019}])


def kept_ids(site: Site) -> list[str]:
    return [letter.event_id for letter in site.letters() if letter.event_id]


def test_it_waits_rather_than_lose_a_dead_letter(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_DEAD_LETTERS="2", CAPI_BATCH_EVENTS="2")
    refuse_all(meta)
    site.enqueue("bad-0", "bad-1", "bad-2", "good")
    site.enqueue("good", dataset_id=OTHER)
    site.run_all()
    pause = site.counts().pause

    assert pause
    assert pause.reason == "dead_full"
    assert (sorted(kept_ids(site)), site.counts().stored) == (["bad-0", "bad-1"], 2)
    assert site.doors(OTHER) == {"delivered": 1}


def test_with_drop_oldest_it_goes_on_and_counts_what_it_lost(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_DEAD_LETTERS="2")
    site.path.write_text(f'[[dataset]]\nid = "{DATASET}"\ntoken = "token-a"\ndead_full = "drop_oldest"\n')
    file = site.runtime.datasets._file._file
    assert file
    file._look_again = float("-inf")
    refuse_all(meta)
    site.enqueue("bad-0", "bad-1", "bad-2", "bad-3", "good")
    site.run_all()

    assert len(kept_ids(site)) == 2
    assert (site.counter("dead_dropped"), site.doors()) == (2, {"delivered": 1, "rejected": 4})
    assert site.counts().pause is None
    before = site.hand.size("bytes")
    site.hand.store.dead.purge(DATASET, [letter.id for letter in site.hand.store.dead.read(DATASET)])
    assert (before > 0, site.hand.size("bytes")) == (True, 0)


def test_a_dataset_without_a_token_and_with_too_many_goes_on_when_it_has_one(make_site: MakeSite) -> None:
    site = make_site(CAPI_DEAD_LETTERS="1")
    site.write_datasets({DATASET: ""})
    site.enqueue_events([purchase("invalid", custom_data={"value": 1}), purchase("good")])
    site.turn()
    pause = site.counts().pause
    site.write_datasets(TOKENS)

    assert pause
    assert pause.reason == "dead_full"
    assert site.held_seconds() <= 15 * 60  # not to the end of the pause before, which has none
    site.let_the_pause_end()
    site.turn()
    assert site.doors() == {"invalid": 1, "delivered": 1}
