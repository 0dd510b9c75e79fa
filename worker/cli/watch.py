"""``status --watch``: read again and again, and show it: in place on a terminal, block after block in a pipe."""

import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from worker.cli.console import out
from worker.cli.watch_view import Rates, Reading, by_attention, totals_of, view_of
from worker.cli.workers_view import unreached_lines
from worker.dead_groups import grouped
from worker.dead_letters import read_letter
from worker.errors import StoreUnavailable
from worker.settings import Settings
from worker.store import DatasetCounts, Store, StoredDeadLetter

_PIPED_ROWS = 40
_FEWEST_ROWS = 5
_LETTERS_OF = 5
_LETTERS_EACH = 100


class Watch:
    """Reads what there is to show; its cost grows with the datasets, not with the events."""

    def __init__(self, settings: Settings, store: Store, configured: Collection[str], only: Sequence[str]) -> None:
        """Read nothing yet.

        Args:
            settings: for the freshness target.
            store: what is read.
            configured: datasets that are shown even if nothing was enqueued for them.
            only: these datasets, where it is not empty.
        """
        self.freshness_seconds = settings.freshness_seconds
        self._store = store
        self._configured = configured
        self._only = only
        self._rates = Rates()
        self._last = Reading(())

    def read(self) -> Reading:
        """Read once; where the store does not answer, what was read last is shown with the reason."""
        start = time.monotonic()
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        try:
            reading = self._reading(now)
        except StoreUnavailable as error:
            trouble = f"Not of now: {error}"
            self._last = replace(self._last, now=self._last.now or now, trouble=trouble)
            return self._last
        self._last = replace(reading, seconds=time.monotonic() - start)
        return self._last

    def _reading(self, now: str) -> Reading:
        ids = sorted(set(self._only) or {*self._store.admin.dataset_ids(), *self._configured})
        found = by_attention(self._store.overview.read(ids), freshness_seconds=self.freshness_seconds)
        delivered = {counts.dataset_id: counts.counters.get("delivered", 0) for counts in found}
        rates = {
            counts.dataset_id: self._rates.per_minute(counts.dataset_id, counts.now_ms, delivered[counts.dataset_id])
            for counts in found
        }
        if found:
            self._rates.add(found[0].now_ms, delivered)
        letters = self._newest_letters(found)
        causes, _ = grouped((stored, read_letter(stored)) for stored in letters)
        unreached = unreached_lines(self._store.workers.seen(), now_ms=time.time() * 1000)
        return Reading(found, rates, totals_of(found), causes, len(letters), now, unreached=unreached)

    def _newest_letters(self, found: Sequence[DatasetCounts]) -> list[StoredDeadLetter]:
        """Return some of the newest dead letters: reading all of them would take as long as there are many."""
        most = sorted((counts for counts in found if counts.dead_letters), key=lambda each: -each.dead_letters)
        pages = (self._store.dead.newest(each.dataset_id, _LETTERS_EACH) for each in most[:_LETTERS_OF])
        return list(chain.from_iterable(pages))


def watch(view: Watch, *, interval_seconds: float, wait: Callable[[float], object] = time.sleep) -> None:
    """Show it until Ctrl-C."""
    console = out()
    try:
        if sys.stdout.isatty():
            _in_place(view, console, interval_seconds, wait)
        else:
            _in_blocks(view, console, interval_seconds, wait)
    except KeyboardInterrupt:
        return


def _in_place(view: Watch, console: Console, interval_seconds: float, wait: Callable[[float], object]) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(fitting(view.read(), console, view.freshness_seconds), refresh=True)
            wait(interval_seconds)


def _in_blocks(view: Watch, console: Console, interval_seconds: float, wait: Callable[[float], object]) -> None:
    while True:
        console.print(view_of(view.read(), rows=_PIPED_ROWS, freshness_seconds=view.freshness_seconds))
        console.print(Text())
        sys.stdout.flush()
        wait(interval_seconds)


def fitting(reading: Reading, console: Console, freshness_seconds: float) -> RenderableType:
    """Return the view with as many datasets as the window has room for; in a low one the explanations go first."""
    for causes in (True, False):
        bare = view_of(reading, rows=1, freshness_seconds=freshness_seconds, causes=causes)
        rows = 1 + console.height - 1 - len(console.render_lines(bare, pad=False))
        if rows >= min(_FEWEST_ROWS, len(reading.found)):
            break
    return view_of(reading, rows=max(1, rows), freshness_seconds=freshness_seconds, causes=causes)
