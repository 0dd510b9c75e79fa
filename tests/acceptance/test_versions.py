"""Workers of two versions share a store: what only the newer one can read waits for it, and all else goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capi_relay import keys
from tests.acceptance.site import Site, running_site
from tests.fakes import events
from tests.fakes.relay import wait_until

DATASET = "4001"
BEFORE, BETWEEN = 3, 1_500


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A lane with an entry of a newer format among 1500 others, and another one at its end."""
    with running_site(tmp_path, {DATASET: "token"}) as site:
        site.accept([events.lead(f"before-{n}") for n in range(BEFORE)], DATASET)
        _store_newer(site)
        site.accept([events.lead(f"between-{n}") for n in range(BETWEEN)], DATASET)
        _store_newer(site)
        site.relay.start_worker()
        wait_until(lambda: site.stored() == 2, "all that this version can read has left")
        yield site


def _store_newer(site: Site) -> None:
    lane = keys.stream(0, keys.lane_of(DATASET, "0"))
    site.store._connection.command("XADD", lane, "*", "e", b"\x00 of a later day", "m", b'{"v":2,"z":"new"}')


def test_an_entry_of_a_newer_format_stays_while_all_others_are_delivered(site: Site) -> None:
    assert (site.taken(), site.store.admin.counts(DATASET).dead_letters) == (BEFORE + BETWEEN, 0)


def test_events_that_come_behind_a_newer_entry_are_delivered(site: Site) -> None:
    site.accept([events.lead("after")], DATASET)
    wait_until(lambda: site.occurrences()["after"] == 1, "the event behind them has arrived")

    assert site.stored() == 2


def test_the_books_balance_while_a_newer_entry_waits(site: Site) -> None:
    site.relay.command("reconcile", code=0)

    assert site.store.admin.counts(DATASET).unaccounted == 0
