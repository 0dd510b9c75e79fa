"""Which dead letters a command means, and how each is shown without giving more away than it must."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import click

from capi_relay.addresses import without_addresses
from capi_relay.errors import InvalidEvent
from capi_relay.hashing import is_sha256
from capi_relay.personal import protect
from capi_relay.wire import decode
from worker.cli.dead_filter import Filter
from worker.dead_letters import DeadLetter, read_letter
from worker.store import Store, StoredDeadLetter

GONE = "there is no dead letter {}: it was replayed or purged, or never was"
AMBIGUOUS = "more than one dataset has a dead letter {}: add --dataset, one of {}"
_SHOWN_OF_DIGEST = 12


class LetterId(click.ParamType[str]):
    """A dead letter's id on the command line."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click's
        """Return the id, or refuse what cannot be one."""
        if re.fullmatch(r"[0-9]{1,20}-[0-9]{1,20}", str(value)) is None:
            self.fail("a dead letter's id looks like 1764000000000-0: see dead list", param, ctx)
        return str(value)


LETTER_ID = LetterId()


@dataclass(frozen=True, slots=True)
class Selection:
    """The dead letters that were there when the command began; those that come meanwhile are not among them."""

    store: Store
    last: dict[str, str]
    """Dataset id -> id of its newest dead letter when the selection was made; datasets without any are left out."""
    where: Filter
    ids: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[StoredDeadLetter, DeadLetter]]:
        for dataset_id, last in self.last.items():
            for stored in self._of(dataset_id):
                if _place(stored.id) > _place(last):
                    break
                letter = read_letter(stored)
                if self.where.takes(stored, letter):
                    yield stored, letter

    def unknown(self) -> list[str]:
        """Name the ids that are nobody's."""
        return [each for each in self.ids if not self._holders(each)]

    def must_be_plain(self) -> None:
        """Refuse an id that dead letters of several datasets have: only one of them is meant."""
        for each in self.ids:
            if len(holders := self._holders(each)) > 1:
                raise click.UsageError(AMBIGUOUS.format(each, ", ".join(holders)))

    def _holders(self, letter_id: str) -> list[str]:
        return [dataset_id for dataset_id in self.last if self.store.dead.get(dataset_id, letter_id)]

    def _of(self, dataset_id: str) -> Iterator[StoredDeadLetter]:
        if not self.ids:
            yield from self.store.dead.read(dataset_id, since_ms=self.where.since_ms or 0)
        for letter_id in self.ids:
            stored = self.store.dead.get(dataset_id, letter_id)
            if stored is not None:
                yield stored


def selection(store: Store, where: Filter | None = None, *, ids: Iterable[str] = ()) -> Selection:
    """Select dead letters; without any condition all of them, dataset by dataset, the oldest first."""
    where = where or Filter()
    datasets = [where.dataset_id] if where.dataset_id else store.admin.dataset_ids()
    # By the newest and not by the clock: after a clock was set back, letters are older than their ids say.
    return Selection(store, store.dead.last_ids(datasets), where, tuple(sorted(set(ids), key=_place)))


def _place(letter_id: str) -> tuple[int, int]:
    """Return what the letters of a dataset are in the order of."""
    ms, _, number = letter_id.partition("-")
    return int(ms), int(number)


def one_letter(store: Store, dataset_id: str | None, letter_id: str) -> tuple[StoredDeadLetter, DeadLetter]:
    """Return the one dead letter with this id; tells what to do where there is none, or more than one."""
    found = list(selection(store, Filter(dataset_id), ids=(letter_id,)))
    if not found:
        raise click.ClickException(GONE.format(letter_id))
    if len(found) > 1:
        datasets = ", ".join(letter.dataset_id for _, letter in found)
        raise click.UsageError(AMBIGUOUS.format(letter_id, datasets))
    return found[0]


def event_of(stored: StoredDeadLetter, letter: DeadLetter) -> dict[str, Any] | None:
    """Return a dead letter's event with its personal data hashed, None when it cannot be shown.

    What is undecodable, or was never validated, may hold raw personal data of a foreign producer.
    """
    if letter.reason == "undecodable":
        return None
    try:
        return without_addresses(protect(decode(stored.event))[0])[0]
    except InvalidEvent:
        return None


def content_of(stored: StoredDeadLetter, letter: DeadLetter) -> dict[str, Any]:
    """Return the event under ``event``, or else what may be said of its bytes."""
    event = event_of(stored, letter)
    digest = sha256(stored.event).hexdigest()
    return {"event": event} if event is not None else {"size_bytes": len(stored.event), "sha256": digest}


def shortened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value whose SHA-256 digests are cut to their beginning: for the eye, and useless to match with."""
    if isinstance(value, dict):
        return {key: shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shortened(inner) for inner in value]
    return f"{value[:_SHOWN_OF_DIGEST]}..." if isinstance(value, str) and is_sha256(value) else value
