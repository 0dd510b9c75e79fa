"""Take personal data out of all that is outside ``user_data``: addresses in any text, personal keys at any depth. Pure.

``protect`` makes ``user_data`` safe by its keys, and looks for misplaced ones in the event and in ``custom_data``.
Deeper down an object may have such a key too, and a person's address may stand in any text: a product's title, an
order id, a key. Names and phone numbers in free text cannot be told from other words.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from capi_relay.fields import PERSONAL_IN_CUSTOM_DATA, squeezed
from capi_relay.text import shown

REMOVED: Final = "REMOVED"
_ADDRESS: Final = re.compile(
    r"[^\s@<>\"'(),;:/?&=\\%]{1,64}(?:@|%(?:25){0,4}40)(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}", re.IGNORECASE
)


def may_need_it(encoded: bytes, objects: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether an event can hold any of it: the sign of an address, or a personal key.

    Args:
        encoded: The event's JSON.
        objects: All objects in it but ``user_data``.
    """
    if b"@" in encoded or (b"%" in encoded and (b"%40" in encoded or b"%25" in encoded)):
        return True
    return not PERSONAL_IN_CUSTOM_DATA.isdisjoint(map(squeezed, chain.from_iterable(objects)))


def holds_address(text: str) -> bool:
    """Say whether an address stands anywhere in a text."""
    return ("@" in text or "%" in text) and _ADDRESS.search(text) is not None


def without_addresses(event: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the event with that left out or replaced, and warnings that name the fields.

    The event is JSON that ``encode`` has taken, so it is neither deep nor circular.
    """
    warnings: dict[str, None] = {}
    cleaned = {
        _text(key, shown(key), warnings): value if key == "user_data" else _clean(value, shown(key), warnings)
        for key, value in event.items()
    }
    return cleaned, tuple(warnings)


def _clean(value: Any, path: str, warnings: dict[str, None]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _text(value, path, warnings)
    if isinstance(value, Mapping):
        return {
            _text(key, path, warnings): _clean(entry, path, warnings)
            for key, entry in value.items()
            if not _is_misplaced(key, path, warnings)
        }
    if isinstance(value, list | tuple):
        return [_clean(entry, path, warnings) for entry in value]
    return value


def _is_misplaced(key: str, path: str, warnings: dict[str, None]) -> bool:
    if squeezed(key) not in PERSONAL_IN_CUSTOM_DATA:
        return False
    warnings[f"{path}.{shown(key)}: left out: it belongs in user_data"] = None
    return True


def _text(text: str, path: str, warnings: dict[str, None]) -> str:
    if "@" not in text and "%" not in text:
        return text
    cleaned = _ADDRESS.sub(REMOVED, text)
    if cleaned != text:
        warnings[f"{path}: an e-mail address was removed: it belongs in user_data.em"] = None
    return cleaned
