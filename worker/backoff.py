"""Decide how long to wait: pure arithmetic, chance passed in as a number from 0 to 1."""

from math import isfinite

_MOST_DOUBLINGS = 40
_LEAST_HINT_SECONDS = 1.0
_MOST_LIMITED_SECONDS = 3600.0
_LIMITED_WITHOUT_HINT_SECONDS = 60.0
_JITTER_ON_TOP = 0.2
_SLOW_PERCENT = 75.0
_SLOW_FIRST_SECONDS = 1.0
_SLOW_DOUBLES_EACH_PERCENT = 5.0
_SLOW_LONGEST_SECONDS = 32.0
_STAGGER_SECONDS = 5.0
_STAGGER_WHOLE_SECONDS = 300.0


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


def blocked_seconds(first_seconds: float, failures: int, random: float) -> float:
    """Return the pause after so many failures in a row: doubled each time up to 1 h; chance adds up to a fifth."""
    doubled = min(max(_MOST_LIMITED_SECONDS, first_seconds), first_seconds * 2.0 ** _doublings(failures))
    return doubled * (1 + _JITTER_ON_TOP * random)


def stagger_seconds(place: int, count: int) -> float:
    """Return how much later than the first the dataset at this place of so many that share a token tries again.

    Five seconds apart, longer than an answer takes, so that the first one's answer spares the others theirs; all within
    five minutes.
    """
    return place * min(_STAGGER_SECONDS, _STAGGER_WHOLE_SECONDS / max(count, 1))


def slow_down_ms(percent: float, random: float) -> int:
    """Return how long a lane rests after a batch when so much of a limit is used up.

    Nothing below 75 %; 1 s at 75 %, doubled each 5 % more (16 s at 95 %, where the pause begins); up to a fifth more.
    """
    if not percent >= _SLOW_PERCENT:
        return 0
    over = min((percent - _SLOW_PERCENT) / _SLOW_DOUBLES_EACH_PERCENT, float(_MOST_DOUBLINGS))
    seconds = min(_SLOW_LONGEST_SECONDS, _SLOW_FIRST_SECONDS * 2**over)
    return int(seconds * 1000 * (1 + _JITTER_ON_TOP * random))


def _doublings(tries: int) -> int:
    return min(max(tries, 1) - 1, _MOST_DOUBLINGS)
