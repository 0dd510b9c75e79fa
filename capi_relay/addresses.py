"""Take e-mail addresses out of every text of an event: the one kind of personal data that can be told anywhere. Pure.

``protect`` makes ``user_data`` safe by its keys. Elsewhere a person's address may stand in any text: a product's title,
an order id, a key of ``custom_data``. Names and phone numbers in free text cannot be told from other words.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

REMOVED: Final = "REMOVED"
_ADDRESS: Final = re.compile(r"[^\s@<>\"'(),;:/?&=\\]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")


def without_addresses(event: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the event with each address outside ``user_data`` replaced, and a warning that names the fields.

    The event is JSON that ``encode`` has taken, so it is neither deep nor circular.
    """
    found: list[str] = []
    cleaned = {
        _text(key, "a key", found): value if key == "user_data" else _clean(value, key, found)
        for key, value in event.items()
    }
    named = dict.fromkeys(found)
    return cleaned, tuple(f"{path}: an e-mail address was removed: it belongs in user_data.em" for path in named)


def _clean(value: Any, path: str, found: list[str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return _text(value, path, found)
    if isinstance(value, Mapping):
        return {_text(key, path, found): _clean(entry, path, found) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(entry, path, found) for entry in value]
    return value


def _text(text: str, path: str, found: list[str]) -> str:
    if "@" not in text:
        return text
    cleaned = _ADDRESS.sub(REMOVED, text)
    if cleaned != text:
        found.append(_ADDRESS.sub(REMOVED, path))
    return cleaned
