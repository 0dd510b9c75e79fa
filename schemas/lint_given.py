"""What the linter's checks look at, and what they find."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

# In seconds this is the year 5138, in milliseconds 1973.
MILLISECONDS_FROM: Final = 10**11

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An event and its surroundings; any JSON type may stand anywhere in it."""

    event: Mapping[str, Any]
    user_data: Mapping[str, Any]
    custom_data: Mapping[str, Any]
    now: float
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something accepted and useless: where, a lint code, and Meta's own name for it where its sentence has one."""

    path: Path
    code: str
    known: str = ""


Check = Callable[[Given], Iterator[Finding]]


def members(part: Mapping[str, Any], key: str, *above: str) -> Iterator[tuple[Path, str]]:
    """Yield the texts of a field that is one or many, with their paths."""
    value = part.get(key)
    if isinstance(value, str):
        yield (*above, key), value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, str):
                yield (*above, key, index), each
