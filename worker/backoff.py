"""Decide how long to wait: pure arithmetic, chance passed in as a number from 0 to 1."""

from math import isfinite

_MOST_DOUBLINGS = 40
_LEAST_HINT_SECONDS = 1.0
_MOST_LIMITED_SECONDS = 3600.0
_LIMITED_WITHOUT_HINT_SECONDS = 60.0
_JITTER_ON_TOP = 0.2


def full_jitter_ms(tries: int, random: float, base_ms: int = 1000, cap_ms: int = 300_000) -> int:
    """Return the wait in ms after the given number of failed tries: anything from 0 to the doubled, capped base."""
    return int(random * min(cap_ms, base_ms * 2 ** _doublings(tries)))


def limited_ms(hint_seconds: float | None, tries: int, random: float) -> int:
    """Return the pause in ms after a rate limit.

    Meta's hint counts, clamped to [1 s, 1 h]; without one the pause is 60 s, doubled with each try up to 1 h. Chance
    only adds to it (up to a fifth): calling while limited lengthens the block (Meta: rate-limiting), and datasets that
    were limited together should not all come back in the same second.
    """
    if hint_seconds is None or not isfinite(hint_seconds):
        seconds = min(_MOST_LIMITED_SECONDS, _LIMITED_WITHOUT_HINT_SECONDS * 2 ** _doublings(tries))
    else:
        seconds = min(_MOST_LIMITED_SECONDS, max(_LEAST_HINT_SECONDS, hint_seconds))
    return int(seconds * 1000 * (1 + _JITTER_ON_TOP * random))


def _doublings(tries: int) -> int:
    return min(max(tries, 1) - 1, _MOST_DOUBLINGS)
