"""Cut a refused batch until the event at fault stands alone: pure.

Meta takes a request whole or not at all. Where it names the culprit, that one is ejected; else the batch is cut in two.
A code that nobody knows is first tried on up to three single events: one passes, and the fault is an event's; all fail
alike, and it is the dataset's.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from worker.intake import Sendable
from worker.store.records import id_key

Code = tuple[int | None, int | None]
"""A code and its subcode: one without the other says nothing."""

_PROBES = 3
_FAILURES_ALONE = 5
_PASSES_BESIDE = 3
_BLAMES_PER_PASS = 3
# A first piece that fails costs a request more than one that passes, so it is the smaller one: the golden section.
_FIRST_SHARE = 0.382


class Parts:
    """The parts of one batch that are still to be sent, in the order of their ids."""

    def __init__(self, batch: Sequence[Sendable]) -> None:
        self._stack: list[Sequence[Sendable]] = [batch] if batch else []
        self._passes = 0
        self._blames_left = 0
        """How many events an unknown code may still be held against before another one passes: what began to hit all
        events in the middle of a batch must not empty it into the dead letters."""
        self._sibling: Sequence[Sendable] = ()
        """Holds the culprit if the piece it was cut from passes."""
        self._probing = 0
        """How many probes of an unknown code are still to be answered."""
        self._clean_probes = True
        """Whether every probe so far was refused with an unknown code."""
        self._failed: list[Sendable] = []
        self._failed_codes: set[Code] = set()
        self._failed_alone: Counter[str] = Counter()
        self._by_chance = False
        """Whether an event passed after it had failed alone."""

    @property
    def empty(self) -> bool:
        """Say whether nothing is left to send."""
        return not self._stack

    def next(self) -> Sequence[Sendable]:
        """Take the next part; empty when all has been sent."""
        return self._stack.pop() if self._stack else ()

    def passed(self, part: Sequence[Sendable]) -> None:
        """Note that a part was delivered: what fails beside it fails for reasons of its own."""
        self._passes += 1
        self._blames_left = _BLAMES_PER_PASS
        self._by_chance |= len(part) == 1 and part[0].entry.id in self._failed_alone
        if self._probing:
            self._end_probes()
        elif len(self._sibling) > 1 and self._stack and self._stack[-1] is self._sibling:
            self._cut(self._stack.pop())

    def rejected(self, part: Sequence[Sendable], index: int | None) -> Sendable | None:
        """Note an event-scoped refusal; return the culprit if it is known, else None: the part was cut in two."""
        if index is None and len(part) > 1:
            self._cut(part)
            return None
        place = index or 0
        self._push([*part[:place], *part[place + 1 :]])
        self._probe_says_nothing()
        return part[place]

    def too_large(self, part: Sequence[Sendable]) -> Sendable | None:
        """Note that a part was larger than Meta takes; return the event that is so by itself, else None: halved."""
        if len(part) == 1:
            self._probe_says_nothing()
            return part[0]
        middle = len(part) // 2
        self._push(part[middle:])
        self._push(part[:middle])
        return None

    def unknown(self, part: Sequence[Sendable], code: Code) -> Literal["probe", "blocked", "alone"] | Sendable:
        """Note a refusal with a code nobody knows.

        Returns:
            The culprit where its neighbours pass; ``probe``: go on with the next part; ``blocked``: all probes failed
            alike, it is the dataset; ``alone``: nothing to compare with, or they failed each in another way.
        """
        verdict = self._whose(part, code)
        if isinstance(verdict, Sendable):
            self._blames_left -= 1
        return verdict

    def failed_again(self, part: Sequence[Sendable], code: Code) -> Literal["probe", "blocked", "alone"] | Sendable:
        """Note a failure that may pass but has come again and again: is it one event that provokes it?

        Returns:
            As ``unknown``; but an answer of this kind may hit an innocent event, again and again where Meta is half
            down. One is the culprit only when it has failed alone five times, nothing that failed alone has passed
            since, and three parts passed for each other event that failed alone. Else ``blocked``: it may be chance.
        """
        verdict = self._whose(part, code)
        if isinstance(verdict, str):
            return verdict
        self._failed_alone[verdict.entry.id] += 1
        if self._failed_alone[verdict.entry.id] < _FAILURES_ALONE:
            self._stack.insert(0, [verdict])  # the others first
            return "probe"
        enough = _PASSES_BESIDE * max(1, len(self._failed_alone) - 1)
        return "blocked" if self._by_chance or self._passes < enough else verdict

    def _whose(self, part: Sequence[Sendable], code: Code) -> Literal["probe", "blocked", "alone"] | Sendable:
        if self._probing:
            return self._probe_failed(part[0], code)
        if self._blames_left:
            return self.rejected(part, None) or "probe"
        if len(part) == 1 and self.empty:
            return "alone"
        self._start_probes(part)
        return "probe"

    def _cut(self, part: Sequence[Sendable]) -> None:
        """Put a part that holds a culprit back as two: one event of a thousand is found with 19 requests at most."""
        place = max(1, int(len(part) * _FIRST_SHARE))
        self._sibling = part[place:]
        self._push(self._sibling)
        self._push(part[:place])

    def _start_probes(self, part: Sequence[Sendable]) -> None:
        """Put single events on top: the first, the middle and the last of all that is left."""
        left = sorted((item for each in [*self._stack, part] for item in each), key=lambda item: id_key(item.entry.id))
        places = sorted({0, len(left) // 2, len(left) - 1})[:_PROBES]
        self._stack = []
        self._push([item for place, item in enumerate(left) if place not in places])
        for place in reversed(places):
            self._push([left[place]])
        self._probing, self._clean_probes = len(places), True

    def _probe_failed(self, item: Sendable, code: Code) -> Literal["probe", "blocked", "alone"]:
        self._failed.append(item)
        self._failed_codes.add(code)
        self._probing -= 1
        if self._probing:
            return "probe"
        if self._clean_probes:
            return "blocked" if len(self._failed_codes) == 1 else "alone"
        self._end_probes()
        return "probe"

    def _probe_says_nothing(self) -> None:
        """Note a probe that was refused for a reason of its own: after the last one, others will be asked."""
        if self._probing:
            self._probing, self._clean_probes = self._probing - 1, False
            if not self._probing:
                self._end_probes()

    def _end_probes(self) -> None:
        """End the probing: what failed is tried once more, alone; where nothing did, the rest is cut at once."""
        if not self._failed and self._blames_left and self._stack and len(self._stack[0]) > 1:
            rest, *above = self._stack
            self._stack = []
            self._cut(rest)
            self._stack += above
        for item in reversed(self._failed):
            self._push([item])
        self._probing, self._failed, self._failed_codes = 0, [], set()

    def _push(self, part: Sequence[Sendable]) -> None:
        if part:
            self._stack.append(part)
