"""What delivered events lack: a few of each batch are linted and scored, and added up by dataset for ``status``.

The numbers are whole and can be added from anywhere: ``sampled``; ``w:<code>``, events with that warning, the
producer's among them; ``q:<event name>:<counter>``, those of ``schemas.match_quality.counts``. Their names are bounded:
an event whose name is not one of Meta's is counted under a common one.
"""

import random
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from capi_relay.errors import InvalidEvent
from capi_relay.wire import decode
from schemas.lint import lint
from schemas.lint_tables import STANDARD_EVENTS
from schemas.match_quality import MatchQuality, Summary, counts, summary
from schemas.report import of_producer
from worker.datasets import Dataset
from worker.errors import StoreUnavailable
from worker.intake import Sendable
from worker.meta import read_meta
from worker.store import Entry, Store

log = structlog.get_logger(__name__)

# A sampled event costs about 70 us, against 20 us of CPU for its delivery: with one in 200 a full batch of 1000 pays
# 0.6 us an event, the write included.
_ONE_IN = 200
_SAMPLED, _WARNING, _QUALITY = "sampled", "w:", "q:"


@dataclass(frozen=True, slots=True)
class Quality:
    """What the samples of one dataset's delivered events say."""

    sampled: int
    warnings: Mapping[str, int]
    """Lint code -> sampled events with it, the most frequent first."""
    overall: Summary
    names: tuple[Summary, ...]
    """By event name, those of the most samples first."""


def count_sample(store: Store, dataset: Dataset | None, part: Sequence[Sendable]) -> None:
    """Add up what a few events of a delivered part lack. Never raises: the events have left, and it is an estimate."""
    if dataset is None or not part:
        return
    try:
        sample = [part[place].entry for place in places(len(part), random.random())]
        test_mode = dataset.test_event_code is not None
        fields = fields_of(sample, now=time.time(), domains=dataset.domains, test_mode=test_mode)
        store.quality.add(dataset.dataset_id, fields)
    except StoreUnavailable as error:
        log.debug("the match quality was not counted", dataset_id=dataset.dataset_id, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a fault in the linter must not look like an event that kills workers
        kind = type(error).__name__
        log.warning(
            "the match quality could not be counted", dataset_id=dataset.dataset_id, error=kind, once_in_seconds=60
        )


def places(events: int, start: float) -> range:
    """Return which of a batch's events to look at: one at least, evenly spaced; start, 0 to 1, is a random number.

    A fixed start would look at the first of each batch only, where batches are small.
    """
    step = min(events, _ONE_IN)
    return range(int(start * step), events, step)


def fields_of(entries: Iterable[Entry], *, now: float, domains: Collection[str], test_mode: bool) -> Counter[str]:
    """Return the numbers of a sample of valid events; now in Unix seconds."""
    fields: Counter[str] = Counter()
    for entry in entries:
        try:
            event = decode(entry.event)
        except InvalidEvent:  # a foreign hand's, which Meta's parser took
            continue
        meta = read_meta(entry)
        problems = lint(event, now=now, domains=domains, test_mode=test_mode)
        problems += map(of_producer, meta.warnings if meta else ())
        fields[_SAMPLED] += 1
        fields.update({f"{_WARNING}{problem.code}" for problem in problems})
        name = event.get("event_name")
        name = name if name in STANDARD_EVENTS else MatchQuality.OTHERS
        fields.update({f"{_QUALITY}{name}:{counter}": number for counter, number in counts(event).items()})
    return fields


def quality_of(fields: Mapping[str, int]) -> Quality:
    """Read the numbers of one dataset."""
    warnings = {name.removeprefix(_WARNING): count for name, count in fields.items() if name.startswith(_WARNING)}
    by_name: dict[str, Counter[str]] = {}
    for field, number in fields.items():
        if field.startswith(_QUALITY):
            name, _, counter = field.removeprefix(_QUALITY).partition(":")
            by_name.setdefault(name, Counter())[counter] += number
    names = [summary(name, counted) for name, counted in by_name.items()]
    return Quality(
        sampled=fields.get(_SAMPLED, 0),
        warnings=dict(sorted(warnings.items(), key=lambda pair: (-pair[1], pair[0]))),
        overall=summary("all events", sum(by_name.values(), Counter())),
        names=tuple(sorted(names, key=lambda each: (-each.events, each.event_name))),
    )
