"""The events of one call to one dataset, and the bytes of the Redis command that stores them."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from capi_relay import keys

_SOURCE = (Path(__file__).parent / "scripts" / "append.lua").read_bytes()
_FIXED_KEYS = 7
_FIXED_WORDS = 3 + _FIXED_KEYS + 6  # the command, the script, the number of keys; the keys; the arguments


def _word(value: str | bytes | int) -> bytes:
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


def command(*words: str | bytes | int) -> bytes:
    """Return a command as Redis reads it."""
    return b"*%d\r\n" % len(words) + b"".join(map(_word, words))


_RUN = _word("EVALSHA") + _word(hashlib.sha1(_SOURCE, usedforsecurity=False).hexdigest())
_AGAIN = _word("again")
_LOAD_AND_RUN = _word("EVAL") + _word(_SOURCE)


@dataclass(frozen=True, slots=True, eq=False)  # known by identity: hashed for each call
class Limits:
    """What append.lua refuses by, and when it calls a lane full."""

    full_events: int
    lane_cap: int
    cap_bytes: int = 0


@dataclass(slots=True)
class Append:
    """The events of one call to one dataset, by lane: all are stored, or none."""

    dataset_id: str
    call_id: str
    linger_ms: int
    lanes: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    """Lane name -> (event bytes, rest of the meta) in order."""
    possibly_again: bool = False
    """The store may have had this call so long ago that it has forgotten it: then its events count as possible
    duplicates."""

    def command(self, shard: int, limits: Limits, *, load: bool = False) -> bytes:
        """Return the call of append.lua; ``load`` sends the script along. The events are copied once."""
        key_count, middle, lane_words = _constant(shard, self.dataset_id, self.linger_ms, limits, tuple(self.lanes))
        words = _FIXED_WORDS + len(self.lanes)
        pieces = [b"", _LOAD_AND_RUN if load else _RUN, key_count, _word(keys.call(shard, self.call_id)), middle]
        for lane_word, rows in zip(lane_words, self.lanes.values(), strict=True):
            words += 2 + 2 * len(rows)
            pieces += (lane_word, _word(len(rows)))
            for event, meta_tail in rows:
                pieces += (b"$%d\r\n" % len(event), event, b"\r\n$%d\r\n%b\r\n" % (len(meta_tail), meta_tail))
        if self.possibly_again:
            words += 1
            pieces.append(_AGAIN)
        pieces[0] = b"*%d\r\n" % words
        return b"".join(pieces)


@lru_cache(maxsize=1024)
def _constant(
    shard: int, dataset_id: str, linger_ms: int, limits: Limits, names: tuple[str, ...]
) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    """Return what calls with these lanes have alike: the number of keys, keys and arguments, and each lane's name."""
    lanes = [keys.lane_of(dataset_id, name) for name in names]
    words: tuple[str | int, ...] = (
        keys.due(shard),
        keys.held(shard),
        keys.size(shard),
        keys.datasets(shard),
        keys.lanes(shard, dataset_id),
        keys.counters(shard, dataset_id),
        *(keys.stream(shard, lane) for lane in lanes),
        dataset_id,
        linger_ms,
        limits.full_events,
        limits.lane_cap,
        limits.cap_bytes,
        len(lanes),
    )
    return _word(_FIXED_KEYS + len(lanes)), b"".join(map(_word, words)), tuple(map(_word, lanes))
