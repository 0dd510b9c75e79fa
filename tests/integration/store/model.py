"""What the store should hold, as a few dictionaries: the model that the state machine compares the real one with."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from capi_relay.keys import dataset_of


@dataclass
class Lane:
    """One lane: its events by name in order (False: of a newer format), and the fate of its leases."""

    events: dict[str, bool] = field(default_factory=dict)
    holder: str | None = None
    """The lease token that may still reschedule the lane."""
    marked: set[str] = field(default_factory=set)
    """What the holder is POSTing."""
    maybe: set[str] = field(default_factory=set)
    """What an earlier POST may have delivered."""
    doubted: set[str] = field(default_factory=set)
    """Those of them whose POST was the holder's own."""
    off_index: bool = False
    """A foreign hand filled it while it was empty: only a sweep or an append can know."""

    def takeable(self) -> list[str]:
        return [name for name, known in self.events.items() if known]


@dataclass
class Model:
    """All lanes, and per dataset what came in and by which doors events left."""

    lanes: dict[str, Lane]
    came: Counter[tuple[str, str]] = field(default_factory=Counter)
    doors: Counter[tuple[str, str]] = field(default_factory=Counter)
    delivered: set[str] = field(default_factory=set)
    dead: dict[str, str] = field(default_factory=dict)
    """Dead letters: event -> dataset."""
    marked_again: Counter[str] = field(default_factory=Counter)
    """Events of a dataset that were marked although they may have been delivered."""
    paused: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    """Datasets whose pause has run out: one lane tries, until something is delivered."""

    def came_in(self, how: str, lane: str, events: Iterable[str], *, known: bool = True) -> None:
        for event in events:
            assert event not in self.lanes[lane].events
            self.lanes[lane].events[event] = known
            self.came[dataset_of(lane), how] += 1

    def leased(self, lane: str, token: str) -> None:
        self.lapsed(lane)
        self.lanes[lane].holder, self.lanes[lane].doubted = token, set()

    def lapsed(self, lane: str) -> None:
        """Note the end of a lease that was never given back: what it was POSTing may have been delivered."""
        place = self.lanes[lane]
        place.maybe |= place.marked
        place.holder, place.marked = None, set()

    def mark(self, lane: str, token: str, events: Iterable[str]) -> bool:
        place = self.lanes[lane]
        if place.holder != token:
            return False
        place.marked = set(events) & place.events.keys()
        self.marked_again[dataset_of(lane)] += len(place.marked & place.maybe)
        return True

    def left(self, lane: str, door: str, events: Iterable[str]) -> int:
        """Let events out that are still there; return how many were."""
        place, dataset = self.lanes[lane], dataset_of(lane)
        gone = [event for event in events if place.events.pop(event, None) is not None]
        self.doors[dataset, door] += len(gone)
        if door == "delivered":
            assert not self.delivered.intersection(gone)
            self.delivered.update(gone)
        else:
            self.dead.update(dict.fromkeys(gone, dataset))
        return len(gone)

    def settled(self, lane: str, token: str, *, keeps: bool, in_doubt: bool) -> bool:
        place = self.lanes[lane]
        if place.holder != token:
            return False
        if in_doubt:
            place.maybe |= place.marked
            place.doubted |= place.marked
        place.marked = set()
        if not keeps:
            place.holder = None
        return True
