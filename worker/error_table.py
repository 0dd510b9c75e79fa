"""Meta's error codes, and the statuses of answers without one, as data: what each says about whose fault it is.

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
    least_seconds: float | None = None
    """The shortest pause where Meta names none; None: as for any other code."""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """HTTP statuses that mean the same where no code is known."""

    statuses: range
    verdict: Verdict
    meaning: str
    source: str
    bare: bool = False
    """Only for an answer without an error in it: not of Graph itself."""


def _row(
    code: int | range,
    verdict: Verdict,
    meaning: str,
    source: str,
    *,
    sub: int | range | None = None,
    least_seconds: float | None = None,
) -> Row:
    return Row(_range(code), None if sub is None else _range(sub), verdict, meaning, source, least_seconds)


def _range(value: int | range) -> range:
    return value if isinstance(value, range) else range(value, value + 1)


def _rule(subcode: int | range, meaning: str, source: str) -> Row:
    """Return the row of a subcode of 100 that is about one event."""
    return _row(100, "event", meaning, source, sub=subcode)


ROWS: tuple[Row, ...] = (
    _row(100, "dataset", "the dataset is missing, or the token may not write to it", "Meta, seen", sub=33),
    _row(100, "dataset", "the request does not fit this dataset", "connectors", sub=34),
    _row(100, "dataset", "the dataset does not support this request", "connectors", sub=38),
    _row(100, "dataset", "the dataset and the WhatsApp account do not belong together", "seen", sub=2804117),
    _row(100, "dataset", "the dataset is not linked to this WhatsApp account", "seen", sub=2804131),
    _row(100, "dataset", "the dataset is not linked to this page", "seen", sub=2804132),
    _rule(2_804_001, "the click id (fbc) does not have the documented form", "seen"),
    _rule(2_804_003, "event_time is older than 7 days", "seen"),
    _rule(2_804_004, "event_time is in the future", "seen"),
    _rule(2_804_007, "an event breaks a rule that is known only by number", "connectors"),
    _rule(2_804_008, "an item of contents has no id", "seen"),
    _rule(2_804_009, "a Purchase has no value", "seen"),
    _rule(2_804_010, "a Purchase has no currency", "seen"),
    _rule(2_804_016, "a field of user_data is not hashed", "seen"),
    _rule(2_804_017, "an event breaks a rule that is known only by number", "connectors"),
    _rule(2_804_019, "a key is missing, unknown or of the wrong type", "seen"),
    _rule(2_804_023, "a value came without a currency", "seen"),
    _rule(2_804_030, "a choice about Limited Data Use is missing", "seen"),
    _rule(2_804_036, "the lead_id is invalid", "seen"),
    _rule(2_804_043, "extinfo has no OS version", "seen"),
    _rule(2_804_048, "an event breaks a rule that is known only by number", "connectors"),
    _rule(2_804_050, "user_data holds too little to find a person by", "seen"),
    _rule(2_804_063, "messaging_channel is missing", "seen"),
    _rule(2_804_064, "a field is not allowed for business_messaging", "seen"),
    _rule(2_804_066, "the event name is not allowed for business_messaging", "seen"),
    _rule(2_804_069, "page_id is missing", "seen"),
    _rule(2_804_071, "ctwa_clid or page_scoped_user_id is missing", "seen"),
    _rule(2_804_079, "the Instagram account id is missing", "seen"),
    _rule(2_804_087, "ctwa_clid is invalid", "seen"),
    _rule(2_804_116, "neither page_id nor a WhatsApp account id is given", "seen"),
    _rule(range(2_804_000, 2_805_000), "an event breaks one of Meta's rules", "inferred"),
    _rule(1_815_356, "an event of an offline upload is invalid", "seen"),
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
    _row(368, "dataset", "Meta blocked this for a while for breaking its policies", "Meta", least_seconds=3600),
    _row(463, "token", "the access token has expired", "Meta"),
    _row(467, "token", "the access token was invalidated", "Meta"),
    _row(613, "dataset limit", "a custom request limit is reached", "Meta", least_seconds=300),
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

STATUS_ROWS: tuple[StatusRow, ...] = (
    StatusRow(_range(408), "transient", "the request came too slowly", "inferred"),
    StatusRow(_range(425), "transient", "the request came too early", "inferred"),
    StatusRow(_range(429), "dataset limit", "too many requests", "inferred"),
    StatusRow(_range(401), "dataset", "something before Graph refuses the token", "inferred", bare=True),
    StatusRow(_range(403), "dataset", "something before Graph refuses the request", "inferred", bare=True),
    StatusRow(_range(404), "dataset", "there is no such endpoint", "inferred", bare=True),
    StatusRow(range(400, 500), "unknown", "the request is refused, the answer does not say why", "inferred"),
    StatusRow(range(300, 400), "dataset", "a redirect, which is never followed with the token", "inferred"),
    StatusRow(range(500, 600), "transient", "a fault of Meta's", "Meta"),
    StatusRow(range(200, 300), "transient", "a success that does not say what was taken", "seen, connectors"),
)


def status_verdict(status: int, *, bare: bool) -> Verdict:
    """Return what a status says where no code does; bare: there is no error in the body."""
    fits = (row.verdict for row in STATUS_ROWS if status in row.statuses and (bare or not row.bare))
    return next(fits, "transient")


def row_of(code: int | None, subcode: int | None) -> Row | None:
    """Return the first row that fits, or None for a code that no source names."""
    if code is None:  # a range looks for anything but an int by going through all its numbers
        return None
    sub = -1 if subcode is None else subcode
    return next((row for row in ROWS if code in row.codes and (row.subcodes is None or sub in row.subcodes)), None)
