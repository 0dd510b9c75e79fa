"""What a worker and beat write while event store and broker are away: enough to know, and no flood."""

import json
import time
from collections import Counter
from pathlib import Path

from tests.acceptance.site import running_site
from tests.fakes import events
from tests.fakes.relay import wait_until

OUTAGE_SECONDS = 10
# Ours are two or three; the others are Celery's, which says each time when it tries again: after 2, 4, 6 ... seconds.
MOST_LINES = 12


def test_ten_seconds_without_redis_are_a_few_lines_and_its_return_is_told(tmp_path: Path) -> None:
    with running_site(tmp_path, {"7001": "token"}) as site:
        site.relay.start_worker()
        site.relay.start_beat()
        site.accept([events.lead("first")], "7001")
        site.wait_until_empty()
        before = len(site.relay.log.read_text().splitlines())
        site.relay.server.kill()
        time.sleep(OUTAGE_SECONDS)  # the time itself is what is tested
        outage = [json.loads(line) for line in site.relay.log.read_text().splitlines()[before:]]
        site.relay.server.start()
        wait_until(lambda: "event store and broker answer again" in site.relay.log.read_text(), "it is told")
        site.accept([events.lead("second")], "7001")
        wait_until(lambda: site.taken() == 2, "delivery goes on")

    ours = Counter(line["event"] for line in outage if line["logger"].startswith("worker."))
    assert ours["no tick until the event store answers"] == 1
    assert set(ours.values()) == {1}
    assert len(outage) <= MOST_LINES, outage
