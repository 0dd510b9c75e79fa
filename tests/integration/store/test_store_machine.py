"""Whatever producers, workers, zombies and people do to the store: nothing is lost or counted twice."""

from dataclasses import replace
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from capi_relay import keys
from capi_relay.errors import Overloaded
from tests.fakes.server import EmbeddedServer
from tests.integration.store.hand import Hand
from tests.integration.store.model import Lane, Model
from worker.store import DatasetCounts, DeadEntry, Exit, Lease, Settlement

DATASETS = ("1", "2")
LANES = ("1/0", "1/late", "2/0")
LANE_CAP = 12
HOUR_MS = 3_600_000
some_lane = st.sampled_from(LANES)
some_dataset = st.sampled_from(DATASETS)


class StoreMachine(RuleBasedStateMachine):
    """Rules are what hands do to the store; leases are kept for ever, so that any of them may wake up as a zombie."""

    hand: Hand
    leases: Bundle[Lease] = Bundle("leases")
    calls: Bundle[tuple[str, dict[str, tuple[str, ...]]]] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.hand.redis.flushall()
        self.model = Model({lane: Lane() for lane in LANES})
        self.numbers = iter(range(1_000_000))
        self.latest: dict[str, Lease] = {}
        self.marks = iter(range(1_000_000))

    # What producers do

    @rule(target=calls, sizes=st.dictionaries(some_lane, st.integers(1, 6), min_size=1), far=st.booleans())
    def append(self, sizes: dict[str, int], far: bool) -> Any:  # noqa: ANN401, FBT001 - hypothesis passes it by name
        dataset = keys.dataset_of(next(iter(sizes)))
        lanes = {
            lane: tuple(f"e{next(self.numbers)}" for _ in range(size))
            for lane, size in sizes.items()
            if keys.dataset_of(lane) == dataset
        }
        call_id = f"call{next(self.numbers)}"
        fits = all(len(self.model.lanes[lane].events) + len(new) <= LANE_CAP for lane, new in lanes.items())
        try:
            self.hand.append_call(lanes, call_id=call_id, linger_ms=HOUR_MS if far else 0)
        except Overloaded:
            assert not fits
            return multiple()
        assert fits
        for lane, events in lanes.items():
            self.model.came_in("enqueued", lane, events)
            self.model.lanes[lane].off_index = False
        return call_id, lanes

    @rule(call=calls)
    def send_a_call_again(self, call: tuple[str, dict[str, tuple[str, ...]]]) -> None:
        self.hand.append_call(call[1], call_id=call[0])

    @rule(lane=some_lane, kind=st.sampled_from(["event", "garbage", "newer"]))
    def put_a_foreign_entry(self, lane: str, kind: Literal["event", "garbage", "newer"]) -> None:
        number = next(self.numbers)
        place = self.model.lanes[lane]
        place.off_index |= not place.events and self.hand.due(lane) is None and self.hand.held(lane) is None
        if kind == "garbage":
            self.hand.foreign(lane=lane, junk=str(number))
            self.model.came_in("foreign", lane, [f"junk {number}"])
        else:
            meta = '{"v":2,"x":1}' if kind == "newer" else '{"v":1,"t":5}'
            self.hand.foreign(lane=lane, e=f"f{number}", m=meta)
            self.model.came_in("foreign", lane, [f"f{number}"], known=kind != "newer")

    # What workers do

    @rule(target=leases, most=st.integers(1, 5))
    def claim(self, most: int) -> Any:  # noqa: ANN401 - a lease, or hypothesis's nothing
        look = self.hand.store.lanes.look()
        lease = self.hand.store.lanes.claim(look, max_events=most, max_bytes=30)
        for _, lane in look.lanes:
            token = self.hand.state(lane).get("tok")
            place = self.model.lanes[lane]
            if lease and lane == lease.lane:
                assert token == lease.token
                self.model.leased(lane, token)
            elif token != place.holder:  # it was looked at, and not taken
                assert token is None
                self.model.lapsed(lane)
        if lease is None:
            places = [
                self.model.lanes[lane]
                for _, lane in look.lanes
                if keys.dataset_of(lane) not in self.model.paused | self.model.tried
            ]
            assert not any(place.takeable() for place in places)
            return multiple()
        texts = [entry.event.decode() for entry in lease.entries]
        assert texts == self.model.lanes[lease.lane].takeable()[: len(texts)]
        assert 0 < len(texts) <= most
        assert lease.dataset_id not in self.model.paused
        if lease.dataset_id in self.model.tried:
            assert self.probers_of(lease.dataset_id) == [lease.lane]
        self.latest[lease.lane] = lease
        return lease

    @rule(lease=leases, zombie=st.booleans(), first=st.integers(0, 4), last=st.integers(0, 4))
    def mark(self, lease: Lease, zombie: bool, first: int, last: int) -> None:  # noqa: FBT001 - as above
        lease = lease if zombie else self.latest[lease.lane]
        entries = lease.entries[first : last + 1] or lease.entries
        texts = [entry.event.decode() for entry in entries]
        doubted = self.model.lanes[lease.lane].doubted
        ids = frozenset(entry.id for entry, text in zip(entries, texts, strict=True) if text in doubted)
        expected = self.model.mark(lease.lane, lease.token, texts)
        assert self.hand.store.lanes.mark(lease, next(self.marks), entries, doubted=ids) == expected

    @rule(
        lease=leases,
        fates=st.lists(st.sampled_from(["delivered", "rejected", "stays"]), min_size=5, max_size=5),
        then=st.sampled_from(["part", "release", "retry"]),
        later=st.booleans(),
        in_doubt=st.booleans(),
        twice=st.booleans(),
        zombie=st.booleans(),
    )
    def settle(
        self,
        lease: Lease,
        fates: list[str],
        then: Literal["part", "release", "retry"],
        later: bool,  # noqa: FBT001 - hypothesis passes it by name
        in_doubt: bool,  # noqa: FBT001 - as above
        twice: bool,  # noqa: FBT001 - as above
        zombie: bool,  # noqa: FBT001 - as above
    ) -> None:
        lease = lease if zombie else self.latest[lease.lane]
        chosen = {
            fate: [entry for entry, its in zip(lease.entries, fates, strict=False) if its == fate] for fate in fates
        }
        exits = [Exit(("delivered", "fresh"), chosen.get("delivered", ()))]
        dead = [DeadEntry(entry, "rejected", entry.event, "{}") for entry in chosen.get("rejected", ())]

        def send() -> Any:  # noqa: ANN401 - what settle returns
            return self.hand.store.lanes.settle(
                lease,
                Settlement(then, exits=exits, dead=dead, retry_ms=HOUR_MS if later else 0, in_doubt=in_doubt),
            )

        settled = send()
        gone = self.model.left(lease.lane, "delivered", [entry.event.decode() for entry in exits[0].entries])
        if gone:
            self.model.tried.discard(lease.dataset_id)
        died = self.model.left(lease.lane, "rejected", [item.event.decode() for item in dead])
        owned = self.model.settled(lease.lane, lease.token, keeps=then == "part", in_doubt=in_doubt)
        assert (settled.owned, settled.removed, settled.dead_letters) == (owned, (gone,), died)
        if twice:
            again = send()
            assert (again.removed, again.dead_letters) == ((0,), 0)
            assert again.owned == (owned and then == "part")

    @rule(lane=some_lane)
    def let_its_time_come(self, lane: str) -> None:
        self.hand.ripen(lane)

    # What people and the sweep do

    @rule(dataset=some_dataset, reason=st.sampled_from(["manual", "blocked"]))
    def pause(self, dataset: str, reason: str) -> None:
        self.hand.store.admin.pause(dataset, reason=reason, seconds=None if reason == "manual" else 3600)
        self.model.paused.add(dataset)
        self.model.tried.discard(dataset)

    @precondition(lambda self: self.model.paused)
    @rule(data=st.data())
    def let_a_pause_run_out(self, data: st.DataObject) -> None:
        dataset = data.draw(st.sampled_from(sorted(self.model.paused)))
        self.hand.redis.hset(keys.dataset(0, dataset), "until", 1)
        self.model.paused.discard(dataset)
        self.model.tried.add(dataset)

    def probers_of(self, dataset: str) -> list[str]:
        """Return the lanes of a dataset whose live lease began after its pause had run out."""
        probe: Any = self.hand.redis.hget(keys.dataset(0, dataset), "probe")
        holder, _, token = probe.decode().partition(" ")
        return [lane for lane in LANES if lane == holder and self.hand.state(lane).get("tok") == token]

    @rule(dataset=some_dataset)
    def resume(self, dataset: str) -> None:
        was_paused = dataset in self.model.paused | self.model.tried
        assert self.hand.store.admin.resume(dataset) == was_paused
        self.model.paused.discard(dataset)
        self.model.tried.discard(dataset)
        latest_lease = self.hand.now_ms() + HOUR_MS / 2
        if was_paused:
            for lane in LANES:
                assert keys.dataset_of(lane) != dataset or (self.hand.held(lane) or 0) < latest_lease

    @rule(lane=some_lane)
    def lose_a_lane_from_the_index(self, lane: str) -> None:
        if self.model.lanes[lane].holder is None:  # else its holder's next mark puts it back as well
            self.hand.redis.zrem(keys.due(0), lane)
            self.hand.redis.zrem(keys.held(0), lane)
            self.sweep()

    @rule()
    def sweep(self) -> None:
        self.hand.store.admin.sweep()
        for place in self.model.lanes.values():
            place.off_index = False

    @rule()
    def flush_the_scripts(self) -> None:
        self.hand.redis.script_flush()

    @precondition(lambda self: self.model.dead)
    @rule(data=st.data(), door=st.sampled_from(["replay", "purge"]))
    def empty_a_dead_letter(self, data: st.DataObject, door: str) -> None:
        event = data.draw(st.sampled_from(sorted(self.model.dead)))
        dataset = self.model.dead.pop(event)
        letter = next(each for each in self.hand.store.dead.read(dataset) if each.event == event.encode())
        if door == "purge":
            assert [self.hand.store.dead.purge(dataset, [letter.id]) for _ in range(2)] == [1, 0]
            return
        # A text of its own, because a zombie may still settle the entry that this event was.
        text, meta = f"r{next(self.numbers)}", b'{"v":1,"t":5,"n":1}'
        letter = replace(letter, event=text.encode())
        assert [self.hand.store.dead.replay(letter, lane_name="0", meta=meta) for _ in range(2)] == [True, False]
        self.model.came_in("replayed", f"{dataset}/0", [text])
        self.model.lanes[f"{dataset}/0"].off_index = False

    # What always holds

    @invariant()
    def every_lane_holds_what_it_should(self) -> None:
        for lane, place in self.model.lanes.items():
            rows: Any = self.hand.redis.xrange(keys.stream(0, lane))
            texts = [fields.get(b"e", b"junk " + fields.get(b"junk", b"")).decode() for _, fields in rows]
            assert texts == list(place.events)

    @invariant()
    def every_lane_with_events_is_in_the_index_once(self) -> None:
        for lane, place in self.model.lanes.items():
            places = [score for score in (self.hand.due(lane), self.hand.held(lane)) if score is not None]
            assert len(places) == 1 or not place.events or (place.off_index and not places)

    @invariant()
    def the_equation_holds(self) -> None:
        for dataset in DATASETS:
            counts = self.hand.counts(dataset)
            assert counts.unaccounted == 0
            assert counts.in_flight <= counts.stored
            assert counts.doors["delivered"] == self.model.doors[dataset, "delivered"]
            assert counts.doors["rejected"] == self.model.doors[dataset, "rejected"]
            assert counts.counters.get("enqueued", 0) == self.model.came[dataset, "enqueued"]
            assert counts.counters.get("replayed", 0) == self.model.came[dataset, "replayed"]
            assert counts.counters.get("possible_duplicates", 0) >= self.model.marked_again[dataset]
            assert self.foreign(counts) <= self.model.came[dataset, "foreign"]

    def foreign(self, counts: DatasetCounts) -> int:
        return counts.counters.get("foreign", 0) + counts.unseen_foreign

    @invariant()
    def the_bytes_are_those_of_lanes_and_dead_letters(self) -> None:
        letters = [letter for dataset in DATASETS for letter in self.hand.store.dead.read(dataset)]
        dead_bytes = sum(len(letter.event) + len(letter.record) + 128 for letter in letters)
        waiting_bytes = sum(self.hand.size(f"b:{lane}") for lane in LANES)
        assert sorted(letter.event.decode() for letter in letters) == sorted(self.model.dead)
        assert self.hand.size("bytes") == dead_bytes + waiting_bytes
        for lane, place in self.model.lanes.items():
            assert place.events or self.hand.size(f"b:{lane}") == 0


def test_nothing_is_lost_or_counted_twice(event_store: EmbeddedServer) -> None:
    with Hand(event_store.url, full_events=4, lane_cap=LANE_CAP) as StoreMachine.hand:
        run_state_machine_as_test(
            StoreMachine,
            settings=settings(
                max_examples=100,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),  # explaining takes minutes
            ),
        )
