"""Meta's error codes as data: what each says about whose fault it is.

Sources: *Meta* (its error-handling, rate-limiting and edge pages), *seen* (in real answers that were made public),
*connectors* (other clients treat it so), *inferred* (ours). The first row that fits holds.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["event", "unknown", "dataset", "token", "app limit", "dataset limit", "too large", "transient"]
"""event: one event is bad. unknown: find out by single events. dataset, token: pause, keep the events. limit: wait."""


@dataclass(frozen=True, slots=True)
class Row:
    """Codes that mean the same."""

    codes: range
    subcodes: range | None
    """None: whatever the subcode is."""
    verdict: Verdict
    meaning: str
    source: str


def _row(code: int | range, verdict: Verdict, meaning: str, source: str, *, sub: int | range | None = None) -> Row:
    codes = code if isinstance(code, range) else range(code, code + 1)
    subcodes = range(sub, sub + 1) if isinstance(sub, int) else sub
    return Row(codes, subcodes, verdict, meaning, source)


ROWS: tuple[Row, ...] = (
    _row(100, "dataset", "the dataset is missing, or the token may not write to it", "Meta, seen", sub=33),
    _row(100, "dataset", "the request does not fit this dataset", "connectors", sub=34),
    _row(100, "dataset", "the dataset does not support this request", "connectors", sub=38),
    _row(100, "dataset", "the dataset and the WhatsApp account do not belong together", "seen", sub=2804117),
    _row(100, "dataset", "the dataset is not linked to this WhatsApp account", "seen", sub=2804131),
    _row(100, "dataset", "the dataset is not linked to this page", "seen", sub=2804132),
    _row(100, "event", "an event breaks one of Meta's rules", "seen", sub=range(2_804_000, 2_805_000)),
    _row(100, "event", "an event of an offline upload is invalid", "seen", sub=1_815_356),
    # Without a subcode it may be about the request as a whole (a missing appsecret_proof, say): never bisect on it.
    _row(100, "unknown", "a parameter is invalid, Meta does not say which", "Meta"),
    _row(1, "transient", "an unknown error; the request may be too large", "Meta, connectors"),
    _row(2, "transient", "the service is temporarily unavailable", "Meta"),
    _row(3, "dataset", "the app lacks the capability", "Meta, connectors"),
    _row(4, "app limit", "the app reached its request limit", "Meta, seen"),
    _row(10, "dataset", "permission denied, or not granted to the app", "Meta"),
    _row(17, "dataset limit", "the ad account reached its request limit", "Meta", sub=2_446_079),
    _row(17, "app limit", "the token's user reached its request limit", "Meta"),
    _row(32, "dataset limit", "the page reached its request limit", "Meta"),
    _row(99, "transient", "an unknown error", "connectors"),
    _row(102, "token", "the login state is invalid", "Meta"),
    # Documented as a bad request signature, retried by others as a reset: the probe's second try tells which.
    _row(104, "unknown", "the request's signature is bad, or a connection inside Meta broke", "Meta, connectors"),
    _row(105, "too large", "the request has too many parameters", "connectors"),
    _row(190, "token", "the access token is invalid, expired or revoked", "Meta, seen"),
    _row(range(200, 300), "dataset", "a permission for this dataset is missing", "Meta"),
    _row(341, "app limit", "the app reached a temporary limit", "Meta, connectors"),
    _row(368, "dataset", "Meta blocked this for a while for breaking its policies", "Meta"),
    _row(463, "token", "the access token has expired", "Meta"),
    _row(467, "token", "the access token was invalidated", "Meta"),
    _row(613, "dataset limit", "a custom request limit is reached", "Meta"),
    _row(803, "dataset", "there is no dataset of this id", "Meta, seen"),
    _row(960, "transient", "a batch request failed inside Meta", "connectors"),
    _row(2500, "dataset", "the path of the request is malformed", "Meta"),
    _row(2635, "dataset", "this version of the Graph API is no longer served", "seen"),
    _row(5000, "transient", "an unknown error", "connectors"),
    _row(21_009, "transient", "the dataset is not ready for uploads yet", "connectors, seen"),
    _row(range(80_000, 80_100), "dataset limit", "a business use case reached its request limit", "Meta, inferred"),
    _row(2_044_055, "dataset", "there is no dataset of this id", "seen"),
    _row(range(-(2**31), 0), "transient", "an error inside Meta", "Meta"),
)


def row_of(code: int | None, subcode: int | None) -> Row | None:
    """Return the first row that fits, or None for a code that no source names."""
    if code is None:  # a range looks for anything but an int by going through all its numbers
        return None
    sub = -1 if subcode is None else subcode
    return next((row for row in ROWS if code in row.codes and (row.subcodes is None or sub in row.subcodes)), None)
