"""The faults that can be switched on while the simulator runs: what each is called, and which one a request meets."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any

from simulator.intake import Posted

# In place of Meta's answer; nothing is recorded.
REFUSALS = frozenset(("status_500", "code", "rate_limited", "token_revoked", "too_large", "redirect", "poison"))
NONSENSE = frozenset(("html", "html_200", "empty_200", "gzip_bomb", "received_zero"))
# The answer as ever, with what is valid recorded, but spoilt on its way.
SPOILT = frozenset(("slow", "reset_after", "torn", "truncated_json", "drip", "headers", "received_short"))
# No answer, and nothing is recorded; the first does not even read the body.
SILENT = frozenset(("reset_before", "hang"))
KINDS = REFUSALS | NONSENSE | SPOILT | SILENT


@dataclass(slots=True)
class Fault:
    """One switched fault: whom it hits, how often, and the details that its kind reads."""

    kind: str
    dataset: str = "*"
    times: int | None = None  # how many requests still meet it; None: all of them
    probability: float = 1.0
    token_fingerprint: str | None = None  # hit only requests with this token
    seconds: float = 1.0  # slow, hang: how long; drip: between two bytes
    code: int | None = None  # code, rate_limited, token_revoked, poison
    subcode: int | None = None
    status: int | None = None  # overrides the kind's own status
    is_transient: bool | None = None
    minutes: int = 1  # rate_limited: Meta's estimated_time_to_regain_access
    headers: dict[str, str] = field(default_factory=dict)  # added to the answer
    bytes: int = 100_000  # too_large: refused above; gzip_bomb: its size when unpacked
    missing: int = 1  # received_short: how many of the last events are neither recorded nor counted
    location: str = "http://localhost:1/"  # redirect
    event_id_prefix: str = "poison"  # poison: an event whose id begins so sinks its request
    fired: int = 0

    def meets(self, dataset: str, posted: Posted | None) -> bool:
        """Tell whether a request is one this fault is for; ``posted`` is None for a fault that leaves it unread."""
        if self.times == 0 or self.dataset not in ("*", dataset):
            return False
        if posted is None:
            return True
        return (
            self.token_fingerprint in (None, posted.token_fingerprint)
            and (self.kind != "too_large" or posted.size_bytes > self.bytes)
            and (self.kind != "poison" or posted.has_id_with(self.event_id_prefix))
        )


_NAMES = frozenset(field.name for field in fields(Fault)) - {"fired"}


def fault_of(spec: Mapping[str, Any]) -> Fault:
    """Return the fault that a JSON object describes.

    Raises:
        ValueError: an unknown kind or detail.
    """
    if not isinstance(spec, Mapping) or spec.get("kind") not in KINDS:
        raise ValueError(f"a fault is an object whose kind is one of: {', '.join(sorted(KINDS))}")
    if unknown := spec.keys() - _NAMES:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}; it may have {', '.join(sorted(_NAMES))}")
    return Fault(**spec)


class Faults:
    """The faults switched on; a request meets at most one: the first in the list that is for it and whose dice fall."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._faults: list[Fault] = []

    def replace(self, specs: Collection[Mapping[str, Any]]) -> None:
        """Switch on these faults and off all others.

        Raises:
            ValueError: one of them is not understood; nothing is changed then.
        """
        if not isinstance(specs, list):
            raise ValueError("the faults are a JSON list")  # noqa: TRY004 - one exception type for a bad request
        self._faults = [fault_of(spec) for spec in specs]

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults with the times each has left and how often it fired."""
        return [asdict(fault) for fault in self._faults]

    def pick(self, dataset: str, posted: Posted | None) -> Fault | None:
        """Return the fault that this request meets, and use up one of its times; ``posted`` is None while unread."""
        for fault in self._faults:
            in_turn = (fault.kind == "reset_before") == (posted is None)
            if in_turn and fault.meets(dataset, posted) and self._random.random() < fault.probability:
                fault.fired += 1
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None
