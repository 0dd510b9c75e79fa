"""What is delivered is sampled for its match quality, and nothing that goes wrong with that concerns an event."""

from capi_relay import keys
from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, Site
from worker.quality import Quality, quality_of


def quality(site: Site) -> Quality:
    return quality_of(site.hand.store.quality.read(DATASET))


def test_a_delivered_batch_is_sampled(site: Site) -> None:
    events = [purchase(str(n), user_data={"em": "ada@example.com", "ph": "none"}) for n in range(3)]
    site.enqueue_events(events)
    site.turn()
    found = quality(site)

    assert (found.sampled, found.overall.score) == (1, 3.0)
    assert found.warnings == {"left_out": 1, "website_without_user_agent": 1}


def test_events_that_were_not_delivered_are_not_sampled(site: Site, meta: Simulator) -> None:
    meta.faults([{"dataset": DATASET, "kind": "status_500", "times": 1}])
    site.enqueue("a")
    site.turn()

    assert quality(site).sampled == 0


def test_a_store_that_cannot_count_it_changes_nothing_for_the_events(site: Site) -> None:
    site.hand.redis.set(keys.quality(0, DATASET), "not a hash")
    site.enqueue("a", "b")
    site.turn()

    assert site.doors() == {"delivered": 2}
    assert site.held_seconds() <= 0
