"""An erasure beside a relay that delivers: each event is delivered or erased, never both and never neither."""

from threading import Thread

from tests.fakes.events import purchase
from tests.fakes.simulator import Simulator
from tests.integration.relay.site import DATASET, MakeSite
from worker.erasure import erase, person_of


def test_each_of_the_persons_events_is_delivered_or_erased(make_site: MakeSite, meta: Simulator) -> None:
    site = make_site(CAPI_BATCH_EVENTS="20")
    people = ["ada@example.com", "bob@example.com"]
    events = [purchase(f"{n % 2}-{n}") | {"user_data": {"em": people[n % 2]}} for n in range(600)]
    site.enqueue_events(events)
    site.turn()  # so that some are delivered, however slow the thread is to start
    relay = Thread(target=site.run_all)
    relay.start()
    found = erase(site.hand.store, person_of("em", people[0]), DATASET, wait_seconds=30)
    relay.join(60)
    site.run_all()
    sent = [line["event_id"] for line in meta.events(DATASET)]

    assert len(sent) == len(set(sent))
    assert sum(event_id.startswith("1-") for event_id in sent) == 300
    assert found.not_reached == 0
    assert found.waiting == 300 - sum(event_id.startswith("0-") for event_id in sent) > 0
    assert site.doors() == {"delivered": len(sent), "erased": found.waiting}
