"""Take secrets and personal data out of what leaves the process beside the events: logs and error reports. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

MASK = "***"
_MOST_CHARS = 10_000
_MOST_DEPTH = 12

# Keys whose value is customer information (Meta: customer-information-parameters) or a secret.
_PERSONAL = "em|ph|fn|ln|ge|db|ct|st|zp|email|phone|external_id|client_ip_address|client_user_agent|fbc|fbp|user_data"
_SECRET = "access_token|token|password|passwd|secret|authorization"  # noqa: S105 - names of secrets
_MASKED_KEYS = frozenset(f"{_PERSONAL}|{_SECRET}".split("|"))
# What an error report has beside the error: local variables, queries, headers, the arguments of a task or a log call.
_DROPPED_KEYS = frozenset(
    {"vars", "http.query", "http.fragment", "query_string", "headers", "cookies", "celery-job", "params"}
)
# Their values are Meta's public names of the customer's own data sets, and may look like phone numbers.
_DATASET_KEYS = frozenset({"dataset_id", "dataset_ids"})

# A value in JSON or in a repr, closed or cut off.
_VALUE = r"""\\*(?:\[[^\]]*+\]?|\{[^}]*+\}?|"[^"]*+"?|'[^']*+'?|[^\s,}\]]++)"""
# Each pattern begins where a longer match cannot begin and gives little back, so that a long text takes linear time.
_PATTERNS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"""(?<![\w.-])((?:{_PERSONAL}|{_SECRET})\\*["']\s*:\s*){_VALUE}""", rf"\1{MASK}"),
        (rf"(?i)((?:[?&](?:{_PERSONAL})|(?<![\w.-])(?:{_SECRET}))=)[^\s&\"',;)}}]++", rf"\1{MASK}"),
        (r"(?i)(?<!\w)(bearer\s)\s*[\w.|~+/=-]++", rf"\1{MASK}"),
        (r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*+://)[^/\s]*@", rf"\1{MASK}@"),
        (r"(?<![A-Za-z0-9])(?:EAA[\w|-]++|\d{6,}+\|[\w-]{6,}+)", MASK),
        (r"(?<![\w.+!#$&*-])[\w.+!#$&*-]++(?:@|%40)(?:[\w-]++\.)+[^\W\d_][\w-]*+", MASK),
        (r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64,}+", MASK),
        (r"(?<![\w.])fb\.[0-9]\.\d{10,13}\.[\w.-]++", MASK),  # Meta: fbp and fbc
        # A phone number: with its plus sign, in groups, or as 11 or 12 bare digits (a timestamp has 10 or 13).
        (r"(?:\+|%2B)\d[\d\xa0 ().-]{5,19}\d", MASK),
        (r"(?<![\w.-])(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])", MASK),
        (r"(?<!dataset )(?<![\w./-])\d{11,12}(?![\w/-]|\.\d)", MASK),
    )
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:]|\.\d)"
)
# Controls, terminal escapes, line and direction marks, lone surrogates: what could forge a line or upset a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def redact(text: str) -> str:
    """Return the text with secrets, personal data and public IP addresses masked, and cut to a length fit for a log."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _ADDRESS.sub(_without_public_address, text)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}... ({len(text)} characters)"


def escape(text: str, keep: str = "") -> str:
    """Return the text with every control character spelled out, but for those in ``keep``."""
    return _CONTROL.sub(
        lambda match: match[0] if match[0] in keep else match[0].encode("unicode_escape").decode(), text
    )


def scrub(value: object, keep: str = "", depth: int = 0) -> object:
    """Return a value of plain types that says the same without secrets, personal data and control characters.

    Args:
        value: anything; what JSON does not know is shown by its repr, bytes by their length.
        keep: control characters that may stay, for texts of several lines.
        depth: how deep in the whole this value lies; what lies too deep is left out.
    """
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return scrub_fields(value, keep, depth) if depth < _MOST_DEPTH else MASK
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(entry, keep, depth + 1) for entry in value] if depth < _MOST_DEPTH else MASK
    return escape(redact(value if isinstance(value, str) else repr(value)), keep)


def scrub_fields(fields: Mapping[Any, object], keep: str = "", depth: int = 0) -> dict[str, Any]:
    """Scrub a mapping: mask or leave out what its key gives away, scrub the other values."""
    scrubbed: dict[str, Any] = {}
    for key, value in fields.items():
        name = str(key).lower()
        if name in _DROPPED_KEYS:
            continue
        if name in _MASKED_KEYS:
            clean: object = MASK
        elif name in _DATASET_KEYS:
            clean = _datasets(value, keep, depth)
        else:
            clean = scrub(value, keep, depth + 1)
        scrubbed[escape(redact(str(key)))] = clean
    return scrubbed


def _datasets(value: object, keep: str, depth: int) -> object:
    if isinstance(value, list | tuple) and depth < _MOST_DEPTH:
        return [_datasets(each, keep, depth + 1) for each in value]
    return value if isinstance(value, str) and value.isdigit() else scrub(value, keep, depth + 1)


def _without_public_address(match: re.Match[str]) -> str:
    try:
        return MASK if ip_address(match[0]).is_global else match[0]
    except ValueError:  # a time of day, a version
        return match[0]
