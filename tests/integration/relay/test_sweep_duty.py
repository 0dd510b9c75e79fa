"""The task ``capi.sweep``: what it says of dead letters that it deletes."""

import structlog
from celery import Celery

from capi_relay import keys
from tests.integration.relay.site import DATASET, MakeSite
from worker.duties import Duties
from worker.hints import Hints


def test_the_sweep_deletes_what_is_too_old_and_says_how_many(make_site: MakeSite) -> None:
    site = make_site(CAPI_DEAD_LETTER_DAYS="3")
    hand = site.hand
    now_ms, day_ms = hand.now_ms(), 24 * 3600 * 1000
    hand.redis.sadd(keys.datasets(0), DATASET)
    for age_days in (30, 4, 2):
        moment = now_ms - age_days * day_ms
        hand.redis.xadd(keys.dead(0, DATASET), {"e": "x", "m": "", "r": "{}"}, id=f"{moment}-0")
    with structlog.testing.capture_logs() as logs:
        told = Duties(site.runtime, Hints(Celery())).sweep()

    assert told["aged_out"] == 2
    assert [(line["event"], line["dead_letters"]) for line in logs] == [("dead letters deleted: they were too old", 2)]
    assert (site.counts().dead_letters, site.counter("aged_out")) == (1, 2)
