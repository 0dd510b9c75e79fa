"""Places in an event by path, ``user_data.em`` or ``custom_data.contents[0].id``: set, remove, read a text. Pure."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from schemas.custom_data import CustomDataSchema
from schemas.event import EventSchema
from schemas.fields import Boolean, Integer, ListOf, NumberOrNumericString, Object, UnixSeconds
from schemas.user_data import UserDataSchema

_PART: Final = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d{1,3})\]")
_MOST_PARTS: Final = 6
_WHOLE: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_YES_NO: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SECTIONS: Final = {"user_data": UserDataSchema(), "custom_data": CustomDataSchema()}
_FIELDS: Final = {
    **EventSchema().fields,
    **{f"{name}.{key}": field for name, schema in _SECTIONS.items() for key, field in schema.fields.items()},
}
PATHS: Final = tuple(path for path, field in _FIELDS.items() if path not in _SECTIONS and not isinstance(field, Object))
"""Meta's keys that hold one value or a list."""
TIMES: Final = frozenset({"event_time", "original_event_data.event_time"})

Path = tuple[str | int, ...]


class PathError(ValueError):
    """There can be no such place in an event; the message holds no value."""


def path_of(text: str) -> Path:
    """Read the path of a key that Meta has.

    Raises:
        PathError: it is none, or Meta has no such key.
    """
    parts = any_path_of(text)
    top = parts[0]
    if top not in _FIELDS:
        raise PathError(f"{text}: Meta has no key {top} in an event")
    if top == "user_data" and (len(parts) == 1 or f"{top}.{parts[1]}" not in _FIELDS):
        raise PathError(f"{text}: Meta has no such key in user_data")
    return parts


def any_path_of(text: str) -> Path:
    """Read a path, whatever its keys are.

    Raises:
        PathError: it is none.
    """
    parts: list[str | int] = []
    end = 0
    for found in _PART.finditer(text):
        if found.start() != end:
            break
        parts.append(found[1] if found[2] is None else int(found[2]))
        end = found.end()
    if not parts or end != len(text) or len(parts) > _MOST_PARTS or not isinstance(parts[0], str):
        raise PathError(f"{text!r} is no path such as user_data.em or custom_data.contents[0].id")
    return tuple(parts)


def set_at(event: dict[str, Any], path: Path, value: object) -> None:
    """Put a value at its place, making the objects and lists on the way.

    Raises:
        PathError: something else stands in the way, or a place in a list is left out.
    """
    here: Any = event
    for part, after in pairwise(path):
        here = _step(here, part, path, [] if isinstance(after, int) else {})
    _step(here, path[-1], path, value, replace=True)


def remove_at(event: dict[str, Any], path: Path) -> bool:
    """Take a value away; False: there is none."""
    here: Any = event
    for part in path[:-1]:
        if not _has(here, part):
            return False
        here = here[part]
    if not _has(here, path[-1]):
        return False
    del here[path[-1]]
    return True


def value_of(path: str, text: str, *, decimal_comma: bool = False) -> object:
    """Read the text of a value as the type that Meta takes there; what cannot be one stays text, for the schemas."""
    field = _FIELDS.get(path)
    is_list = isinstance(field, ListOf) or path.startswith("user_data.")
    if (text.startswith("[") and (is_list or field is None)) or (text.startswith("{") and not is_list):
        return _json(text)
    if isinstance(field, ListOf):
        return [text]
    if isinstance(field, NumberOrNumericString) and decimal_comma:
        return text.replace(".", "").replace(",", ".")
    if isinstance(field, Boolean):
        return _YES_NO.get(text.lower(), text)
    is_whole = isinstance(field, Integer | UnixSeconds) or path.endswith(".quantity")
    return int(text) if is_whole and _WHOLE.fullmatch(text) else text


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _has(here: object, part: str | int) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def _step(here: Any, part: str | int, path: Sequence[str | int], value: object, *, replace: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(here, dict) and isinstance(part, str):
        if replace or part not in here:
            here[part] = value
        return here[part]
    if isinstance(here, list) and isinstance(part, int) and part <= len(here):
        if part == len(here):
            here.append(value)
        elif replace:
            here[part] = value
        return here[part]
    raise PathError(f"{'.'.join(map(str, path))}: there is no such place beside what the event holds")
