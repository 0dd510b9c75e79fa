"""Making an event's personal data safe before it leaves the process: under Meta's keys, normalised, hashed, none raw.

What cannot be made safe is left out with a warning that names the field and what to do, and never holds the value.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from capi_relay import normalize
from capi_relay.addresses import holds_address
from capi_relay.click_ids import is_fbc
from capi_relay.fields import BY_NAME, KNOWN, PERSONAL_IN_CUSTOM_DATA, PERSONAL_IN_EVENT, PLAIN, squeezed
from capi_relay.hashing import SHA256_OF_NOTHING, SHORTEST_DIGEST, is_md5, is_sha256, lower_hex, sha256_hex
from capi_relay.normalize import NORMALIZERS
from capi_relay.text import shown, trimmed
from capi_relay.urls import without_addresses
from capi_relay.variants import VARIED, other_readings

_MOST_DIGITS: Final = 30
# Values that many people share are hashed once and remembered, some 2 MB at most; those meant for one person are not.
_SHARED: Final = frozenset({"country", "ct", "ge", "st", "zp"})
_MAX_SHARED_CHARACTERS: Final = 40
_NO_TEXT: Final = "it is neither text nor a number: give one of them, or a list"
_NO_MATCH: Final = "it looks like an MD5, which Meta cannot match: give the value or its SHA-256"
_NOTHING: Final = "it is the SHA-256 of an empty text: leave the field out when there is no value"
_HALF: Final = "it holds half a character (a lone surrogate): give proper Unicode text"
_WHY: Final = {
    "em": "it does not look like one e-mail address: give one as name@example.com, several as a list",
    "ph": "it has no country code or is no phone number: write it as +<code><number>",
    "fn": "it holds no letter or digit: give the first name alone",
    "ln": "it holds no letter or digit: give the last name alone",
    "db": "it is no date from 1900 to today that can be read one way: write it as YYYY-MM-DD",
    "ge": "it is no word for female or male: give f or m, or leave the field out",
    "ct": "it holds no letter: give the city's name alone",
    "st": "it holds no letter or digit: give the state's code or the region's name",
    "zp": "it holds no letter or digit: give the postal code alone",
    "country": "it is no country of ISO 3166-1: give the two-letter code, as in us or gb",
    "dobd": "it is no day from 1 to 31: give two digits",
    "dobm": "it is no month from 1 to 12: give two digits",
    "doby": "it is no year from 1900 to now: give four digits",
}
_NO_VALUE: Final = "it holds no letter or digit: give the value, or leave the field out"


def protect(
    event: Mapping[str, Any], default_country: str | None = None, *, match_variants: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a new event that holds no raw personal data, and the warnings about what was changed or left out.

    Doing it twice changes nothing. Never raises for an odd value: what it cannot judge in ``user_data`` is left out.

    Args:
        event: The event in Meta's field names; it is not changed.
        default_country: ISO alpha-2 code whose calling code national phone numbers get; the event's own country wins.
        match_variants: Whether a value that can be read in two ways is hashed in both, into a list.
    """
    warnings: list[str] = []
    safe = _without_misplaced(event, PERSONAL_IN_EVENT, "", warnings)
    if [*map(squeezed, safe)].count("userdata") > ("user_data" in safe):
        for key in [key for key in safe if key != "user_data" and squeezed(key) == "userdata"]:
            del safe[key]
            warnings.append(f"{shown(key)}: left out: Meta's key is user_data: use that one")
    if isinstance(custom_data := safe.get("custom_data"), (dict, Mapping)):
        safe["custom_data"] = _without_misplaced(custom_data, PERSONAL_IN_CUSTOM_DATA, "custom_data.", warnings)
    for key in ("event_source_url", "referrer_url"):
        url = safe.get(key)
        if isinstance(url, str) and (cleaned := without_addresses(url)) != url:
            safe[key] = cleaned
            warnings.append(f"{key}: an e-mail address in its query was removed: keep personal data out of URLs")
    if isinstance(user_data := safe.get("user_data"), (dict, Mapping)):
        safe["user_data"] = _protected_user_data(user_data, default_country, warnings, match_variants=match_variants)
    elif "user_data" in safe:
        del safe["user_data"]
        warnings.append("user_data: left out: it is no object: give Meta's keys with their values")
    return safe, tuple(warnings)


def _without_misplaced(
    data: Mapping[str, Any], misplaced: frozenset[str], path: str, warnings: list[str]
) -> dict[str, Any]:
    if misplaced.isdisjoint(map(squeezed, data)):
        return dict(data)
    kept = {key: value for key, value in data.items() if squeezed(key) not in misplaced}
    warnings += (f"{path}{shown(key)}: left out: it belongs in user_data" for key in data if key not in kept)
    return kept


def _protected_user_data(
    user_data: Mapping[str, Any], default_country: str | None, warnings: list[str], *, match_variants: bool
) -> dict[str, Any]:
    named = user_data if KNOWN.issuperset(user_data) else _in_metas_names(user_data, warnings)
    country = _phone_country(named.get("country"), default_country) if "ph" in named else None
    safe = {}
    for key, value in named.items():
        if key in PLAIN:
            kept = _plain(key, value, warnings)
        elif match_variants and key in VARIED:
            kept = _readings(key, value, country, warnings)
        elif isinstance(value, (list, tuple)):
            kept = _digests(key, value, country, warnings)
        else:
            kept = _digest(key, value, country, None, warnings)
        if kept is not None:
            safe[key] = kept
    return safe


def _in_metas_names(user_data: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Return the values that are there under Meta's keys; what stands under no known name is left out."""
    named = {key: value for key, value in user_data.items() if key in KNOWN and not _is_absent(value)}
    for key, value in user_data.items():
        if key in named or _is_absent(value):
            continue
        metas = BY_NAME.get(squeezed(key))
        if metas is None:
            warnings.append(
                f"user_data.{shown(key)}: left out: Meta has no such key, and it may be personal data: use Meta's keys"
            )
        elif metas in named:
            warnings.append(f"user_data.{shown(key)}: left out: {metas}, Meta's name for it, is given too")
        else:
            named[metas] = value
            warnings.append(f"user_data.{shown(key)}: taken as {metas}, Meta's name for it: use that one")
    return named


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, (str, list, tuple)) and not value)


def _phone_country(given: object, default_country: str | None) -> str | None:
    """Return the country for national phone numbers: the event's own if it is readable, else the default."""
    if isinstance(given, (list, tuple)):
        given = next(iter(given), None)
    own = normalize.country(given) if isinstance(given, str) else None
    return own or normalize.country(default_country or "")


def _plain(key: str, value: object, warnings: list[str]) -> object:
    """Return a value that is sent as it is, or None when it is absent or cannot be what the key says."""
    if isinstance(value, str):
        return _plain_text(key, value.strip(), warnings)
    if _is_absent(value):
        return None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    if key == "client_ip_address" and isinstance(value, (IPv4Address, IPv6Address)):
        return str(value)
    warnings.append(f"user_data.{key}: left out: it is neither text nor a number: Meta takes one value here, as it is")
    return None


def _plain_text(key: str, text: str, warnings: list[str]) -> str | None:
    # Robots write one into their user agent: theirs, and nobody else's.
    if key != "client_user_agent" and (holds_address(text) or ("@" in text and normalize.em(text))):
        warnings.append(f"user_data.{key}: left out: it holds an e-mail address: that belongs in user_data.em")
        return None
    if key == "fbc" and text and not is_fbc(text):
        warnings.append(
            "user_data.fbc: left out: it is not as fb.<index>.<milliseconds>.<fbclid>: send the _fbc cookie"
        )
        return None
    return text or None


def _digests(
    key: str, values: list[Any] | tuple[Any, ...], country: str | None, warnings: list[str]
) -> list[str] | None:
    """Return the digests of the values, each once and in their order, or None when nothing is left."""
    digests = (_digest(key, value, country, index, warnings) for index, value in enumerate(values))
    return list(dict.fromkeys(digest for digest in digests if digest is not None)) or None


def _readings(key: str, value: object, country: str | None, warnings: list[str]) -> str | list[str] | None:
    """Return the digests of all readings of the value or values; one alone stays what it was given as."""
    many = isinstance(value, (list, tuple))
    digests: list[str] = []
    for index, member in enumerate(value if isinstance(value, (list, tuple)) else (value,)):
        digest = _digest(key, member, country, index if many else None, warnings)
        if digest is not None:
            text = member if isinstance(member, str) else _as_text(key, member) or ""
            digests += (digest, *map(sha256_hex, other_readings(key, text, country)))
    if many or len(set(digests)) > 1:
        return list(dict.fromkeys(digests)) or None
    return digests[0] if digests else None


def _digest(key: str, value: object, country: str | None, index: int | None, warnings: list[str]) -> str | None:
    """Return the value's digest, or None when it is absent or, with a warning, cannot be hashed."""
    text = value if isinstance(value, str) else _as_text(key, value)
    why: str | None
    if text is None:
        digest, why = None, None if value is None else _NO_TEXT
    elif key in _SHARED and type(text) is str and len(text) <= _MAX_SHARED_CHARACTERS:
        digest, why = _of_shared_text(key, text)
    else:
        digest, why = _of_text(key, text, country)
    if why:
        place = "" if index is None else f"[{index}]"
        warnings.append(f"user_data.{key}{place}: left out: {why}")
    return digest


def _of_text(key: str, text: str, country: str | None) -> tuple[str | None, str | None]:
    """Return the text's digest or None, and why it has none where it is not just empty."""
    text = trimmed(text)
    if not text:
        return None, None
    if len(text) >= SHORTEST_DIGEST:
        if is_sha256(text):
            digest = lower_hex(text)
            return (None, _NOTHING) if digest.startswith(SHA256_OF_NOTHING) else (digest, None)
        if is_md5(text) and key != "external_id":  # an own id may well be 32 hex digits, as a UUID is
            return None, _NO_MATCH
    normal = normalize.ph(text, country) if key == "ph" else NORMALIZERS[key](text)
    try:
        return (sha256_hex(normal), None) if normal else (None, _WHY.get(key, _NO_VALUE))
    except UnicodeEncodeError:
        return None, _HALF


@lru_cache(maxsize=4096)
def _of_shared_text(key: str, text: str) -> tuple[str | None, str | None]:
    """Return the same, remembered: for short text of ``_SHARED`` keys only."""
    return _of_text(key, text, None)


def _as_text(key: str, value: object) -> str | None:
    if key == "db" and isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, Decimal):  # 42.00 of a database is the number 42, as wire.encode writes it
        if not value.is_finite() or value.adjusted() > _MOST_DIGITS or value != value.to_integral_value():
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes
        return None
