"""The one form an event has at rest and on the wire: strict JSON in UTF-8, one object, of bounded size and depth.

``encode`` refuses what ``decode`` would, so that everything stored can be read and sent. The messages name the field by
its path and never hold a value.
"""

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, Final, Never

from capi_relay import json_library
from capi_relay.errors import InvalidEvent
from capi_relay.text import shown

MAX_EVENT_BYTES: Final = 65_536
MAX_DEPTH: Final = 20
"""How many objects and arrays may stand inside each other, the event itself counted."""

# Each value takes two bytes of JSON at least, so more of them can never fit; known before anything is written.
_MAX_VALUES: Final = MAX_EVENT_BYTES // 2
_MAX_DIGITS: Final = 4300  # what Python's int() reads at most
_PLAIN: Final = frozenset({str, int, bool, NoneType})

_TOO_LARGE: Final = f"the event is larger than {MAX_EVENT_BYTES} bytes of JSON: leave out what Meta does not use"
_TOO_DEEP: Final = f"objects and arrays are nested more than {MAX_DEPTH} deep: flatten the event"
_NO_OBJECT: Final = "an event is a JSON object"


def encode(event: Mapping[str, Any]) -> bytes:
    """Return the event as compact JSON in UTF-8. The event is not changed.

    A ``Decimal`` is a number: an integer when it is integral, else a float; mappings and tuples are objects and arrays.

    Raises:
        InvalidEvent: JSON cannot carry a value (bytes, a date, a set, NaN, a lone surrogate ...), a key is no text, or
            the event is too large or too deeply nested. The message names the field.
    """
    return encode_with_objects(event)[0]


def encode_with_objects(event: Mapping[str, Any]) -> tuple[bytes, list[Mapping[str, Any]]]:
    """Return what ``encode`` does, and the objects in the event, which it has to look at anyway."""
    if not isinstance(event, (dict, Mapping)):
        raise InvalidEvent(_NO_OBJECT)
    objects, ordinary = _checked(event)
    data = (json_library.write(event) if ordinary else None) or _written(event, objects)
    if len(data) > MAX_EVENT_BYTES:
        raise InvalidEvent(_TOO_LARGE)
    return data, objects


def _written(event: Mapping[str, Any], objects: list[Mapping[str, Any]]) -> bytes:
    try:
        for each in (event, *objects):
            "".join(each)  # the quickest way to see that all keys are text: json would make them text
        return _ENCODER.encode(event).encode()
    except (TypeError, ValueError, OverflowError):
        raise InvalidEvent(_first_problem(event)) from None


def decode(data: bytes) -> dict[str, Any]:
    """Return the event that the bytes hold.

    Raises:
        InvalidEvent: They are no UTF-8, no strict JSON (NaN, a number beyond a float, a lone surrogate, a key that
            stands twice), no object, too large or too deeply nested.
    """
    if len(data) > MAX_EVENT_BYTES:
        raise InvalidEvent(_TOO_LARGE)
    try:
        event = _DECODER.decode(data.decode())
        if b"\\ud" in data or b"\\uD" in data:
            _ENCODER.encode(event).encode()
    except json.JSONDecodeError as error:
        raise InvalidEvent(f"it is no JSON: {error.msg} at character {error.pos}") from None
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"it is no UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise InvalidEvent("a text holds half a character (a lone surrogate)") from None
    except RecursionError:
        raise InvalidEvent(_TOO_DEEP) from None
    except ValueError:
        raise InvalidEvent(f"a number has more than {_MAX_DIGITS} digits") from None
    if not isinstance(event, dict):
        raise InvalidEvent(_NO_OBJECT)
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _checked(event)
    return event


def _checked(event: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """Refuse depth and sheer number; never walks without end.

    Returns:
        The objects inside the event, and whether every value that is no object and no array is text, a finite number,
        a boolean or null, and of no subclass of them.
    """
    objects: list[Mapping[str, Any]] = []
    ordinary = True
    level: list[Any] = [event]
    values_left = _MAX_VALUES
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for container in level:
            values: Iterable[Any]
            if type(container) is float:
                ordinary = ordinary and math.isfinite(container)
                continue
            if isinstance(container, (list, tuple)):
                values = container
            elif isinstance(container, (dict, Mapping)):  # dict first: it is the common case, and quick
                values = container.values()
                objects.append(container)
            else:
                ordinary = False
                continue
            values_left -= len(container)
            if values_left < 0:
                raise InvalidEvent(_TOO_LARGE)
            deeper += [value for value in values if type(value) not in _PLAIN]
        if not deeper:
            return objects[1:], ordinary
        level = deeper
    if any(isinstance(container, (Mapping, list, tuple)) for container in level):
        raise InvalidEvent(_TOO_DEEP)
    return objects[1:], False


def _first_problem(event: Mapping[str, Any]) -> str:
    """Say what JSON cannot carry and where; walks in the order of ``_checked``, so it ends where that one did."""
    containers: deque[tuple[str, Any]] = deque([("", event)])
    while containers:
        path, container = containers.popleft()
        if isinstance(container, Mapping) and (why := _problem_of_keys(container)):
            return f"{path or 'the event'}: {why}"
        for part, value in _parts(container):
            place = f"{path}{part}".removeprefix(".")
            if isinstance(value, (Mapping, list, tuple)):
                containers.append((place, value))
            elif why := _problem_of(value):
                return f"{place}: {why}"
    return "JSON cannot carry this event"  # somebody changed it meanwhile


def _parts(container: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever a caller put into an event
    if isinstance(container, Mapping):
        return ((f".{shown(key)}", value) for key, value in container.items())
    return ((f"[{index}]", value) for index, value in enumerate(container))


def _problem_of_keys(keys: Iterable[object]) -> str | None:
    for key in keys:
        if not isinstance(key, str):
            return f"a key is no text but {type(key).__name__}: JSON has text keys only"
        if _problem_of(key):
            return "a key holds half a character (a lone surrogate): give proper Unicode text"
    return None


def _problem_of(value: object) -> str | None:
    """Say why JSON cannot carry a value that is no container, or None when it can."""
    try:
        _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return "the text holds half a character (a lone surrogate): give proper Unicode text"
    except TypeError:
        return f"{type(value).__name__} is no JSON type: give text or a number, and a time as Unix seconds"
    except (ValueError, OverflowError):
        return "the number is NaN, infinite or too large: give a finite one"
    return None


def _default(value: object) -> object:
    """Turn what ``json`` does not know into what it does; raise ``TypeError`` or ``ValueError`` for the rest."""
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, Decimal):
        raise TypeError
    if not value.is_finite() or value.adjusted() >= _MAX_DIGITS:
        raise ValueError
    return int(value) if value == value.to_integral_value() else float(value)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidEvent("a number is larger than a float can hold")
    return number


def _no_constant(name: str) -> Never:
    raise InvalidEvent(f"{name} is no JSON")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidEvent(f"the key {shown(twice)} stands twice in one object")
    return made


_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=_default
)
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object_of, parse_float=_finite, parse_constant=_no_constant)
