"""The linter's checks of ``user_data``: digests and ids that match nobody."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from capi_relay.hashing import SHA256_OF_NOTHING, is_md5, is_sha256, sha256_hex
from capi_relay.normalize import NORMALIZERS
from schemas.lint_given import MILLISECONDS_FROM, Check, Finding, Given, members
from schemas.lint_tables import NO_VALUE_WORDS, PLACEHOLDERS, TWICE_HASHED, UNNORMALISED
from schemas.user_data import FBC

# Meta: fbp-and-fbc; perhaps with the parameter builder's appendix.
_FBP: Final = re.compile(r"fb\.[0-9]+\.[0-9]{10,13}\.[0-9]+(\.[A-Za-z0-9_-]{2}([A-Za-z0-9_-]{6})?)?")
# A click comes before its conversion. Where the id is so much younger than the event, or so close to it with no fbclid
# in sight, it was put together when the event was. What a landing page reports may follow the click at once.
_FBC_SECONDS: Final = 10
_LANDING_EVENTS: Final = frozenset({"PageView", "ViewContent"})
# Click ids of our days begin so; in lower case they are spoilt.
_LOWER_CASE_CLICK_ID: Final = "iw"
# Meta's own keys in custom_data that may hold in the clear what user_data has hashed.
_CLEAR: Final = ("city", "region", "country", "postal_code")
_LOOKED_UP: Final = ("em", "ph", "fn", "ln", "ct", "st", "zp", "country")


def _of_digests(given: Given) -> Iterator[Finding]:
    """Find digests of what is no value, of what was not normalised and of digests, as far as that can be known."""
    clear = {sha256_hex(text): text for text in _texts_in_the_clear(given)}
    for key in NORMALIZERS.keys() & given.user_data.keys():
        for path, value in members(given.user_data, key, "user_data"):
            code = _digest_code(key, value, clear)
            if code:
                yield Finding(path, code)


def _digest_code(key: str, value: str, clear: Mapping[str, str]) -> str | None:
    if not is_sha256(value):
        return "md5" if is_md5(value) and key != "external_id" else None
    digest = value[: len(SHA256_OF_NOTHING)]
    if digest == SHA256_OF_NOTHING:
        return "hash_of_nothing"
    if digest in PLACEHOLDERS[key]:
        return "hash_of_placeholder"
    if digest in TWICE_HASHED.get(key, ()):
        return "hash_of_hash"
    if digest in UNNORMALISED.get(key, ()) or _is_of_raw(key, clear.get(digest)):
        return "hash_of_unnormalised"
    return None


def _is_of_raw(key: str, text: str | None) -> bool:
    """Tell whether the text whose digest it is, which stands elsewhere in the event, is not in its normal form."""
    return text is not None and key in _LOOKED_UP and NORMALIZERS[key](text) != text


def _texts_in_the_clear(given: Given) -> Iterator[str]:
    for _, value in members(given.user_data, "external_id", "user_data"):
        if not is_sha256(value) and value.isprintable():  # so without half characters, which have no UTF-8
            yield value
    for place in map(given.custom_data.get, _CLEAR):
        if isinstance(place, str) and place.isprintable():
            yield place


def _of_ids(given: Given) -> Iterator[Finding]:
    if isinstance(given.user_data.get("lead_id"), str):
        yield Finding(("user_data", "lead_id"), "lead_id_as_text")
    for path, value in members(given.user_data, "external_id", "user_data"):
        if value.lower() in NO_VALUE_WORDS:
            yield Finding(path, "placeholder_id")
    fbp = given.user_data.get("fbp")
    if isinstance(fbp, str) and fbp and not _FBP.fullmatch(fbp):
        yield Finding(("user_data", "fbp"), "malformed_fbp")


def _of_address(given: Given) -> Iterator[Finding]:
    text = given.user_data.get("client_ip_address")
    if not isinstance(text, str) or not text:
        return
    try:
        address = ip_address(text)
    except ValueError:
        yield Finding(("user_data", "client_ip_address"), "not_an_ip")
        return
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_multicast or not address.is_global:
        yield Finding(("user_data", "client_ip_address"), "private_ip")


def _of_click(given: Given) -> Iterator[Finding]:
    """Find a click id that was not made at the click (its form is a matter of the schema)."""
    fbc, moment = given.user_data.get("fbc"), given.event.get("event_time")
    if not isinstance(fbc, str) or not FBC.match(fbc):
        return
    made, click = int(fbc.split(".")[2]), fbc.split(".")[3]
    if made < MILLISECONDS_FROM:
        yield Finding(("user_data", "fbc"), "fbc_time_in_seconds")
    if click.startswith(_LOWER_CASE_CLICK_ID) and click == click.lower():
        yield Finding(("user_data", "fbc"), "fbc_lower_case")
    if type(moment) is int and 0 <= moment < MILLISECONDS_FROM:
        seconds_before = moment - (made if made < MILLISECONDS_FROM else made / 1000)
        if seconds_before < -_FBC_SECONDS or (seconds_before <= _FBC_SECONDS and not _is_landing(given.event)):
            yield Finding(("user_data", "fbc"), "fbc_made_at_send_time")


def _is_landing(event: Mapping[str, Any]) -> bool:
    """Tell whether the event may have followed the click at once."""
    name = event.get("event_name")
    urls = (event.get("event_source_url"), event.get("referrer_url"))
    return (isinstance(name, str) and name in _LANDING_EVENTS) or any("fbclid=" in str(url) for url in urls)


IDENTIFIER_CHECKS: Final[tuple[Check, ...]] = (_of_digests, _of_ids, _of_address, _of_click)
