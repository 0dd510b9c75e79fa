"""The base of all our schemas: marshmallow that decides and never transforms, and speaks in codes.

A schema is *closed* (unknown keys refused) only where Meta is known to refuse them, or where an unknown key might be
raw personal data; it is *open* everywhere else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import msgspec
from marshmallow import INCLUDE, Schema, ValidationError, validates_schema


@dataclass(frozen=True, slots=True)
class Fault:
    """What a cross-field rule found: a path relative to the schema that owns the rule, and a code."""

    path: tuple[str | int, ...]
    code: str


# A rule sees the data as it came, whatever the fields thought of it, so it must stand any JSON type in any place.
Rule = Callable[[Mapping[str, Any]], Iterator[Fault]]

ABSENT: Final = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Where:
    """A rule for data with one value under a key (ABSENT: without the key), so that all other data need not run it."""

    key: str
    value: object
    rule: Rule

    def __call__(self, data: Mapping[str, Any]) -> Iterator[Fault]:
        """Run the rule where it applies."""
        return self.rule(data) if data.get(self.key, ABSENT) == self.value else iter(())


@dataclass(frozen=True, slots=True)
class About:
    """A rule that finds no fault where nothing stands at a path of keys; lists on the way are walked through."""

    path: tuple[str, ...]
    rule: Rule

    def __call__(self, data: Mapping[str, Any]) -> Iterator[Fault]:
        """Run the rule: it looks for itself, the path is for who can look faster."""
        return self.rule(data)


def where(key: str, value: object) -> Callable[[Rule], Where]:
    """Say that a rule is for this value of a key only."""
    return lambda rule: Where(key, value, rule)


def about(*path: str) -> Callable[[Rule], About]:
    """Say that a rule is about what stands at a path only."""
    return lambda rule: About(path, rule)


class Decoded:
    """An object that the accept path has decoded: rules can read it as the mapping they were written for."""

    __slots__ = ()

    def get(self, key: str, default: object = None) -> object:
        """Return the value of a key, or the default where it is absent."""
        value = getattr(self, key, ABSENT)
        return default if value is ABSENT else value

    def __contains__(self, key: str) -> bool:
        return getattr(self, key, ABSENT) is not ABSENT

    def __bool__(self) -> bool:
        """Say that something is in it; what is in it under unknown keys only does not count."""
        keys: tuple[str, ...] = self.__slots__
        return any(getattr(self, key) is not ABSENT for key in keys)


Mapping.register(Decoded)
# A JSON object, for isinstance. In this order: it takes five times as long to ask the abstract class.
OBJECT: Final = cast("tuple[type[Mapping[str, Any]], ...]", (dict, Decoded, Mapping))

_MESSAGES: Final = {"type": "not_object", "unknown": "unknown_key"}


class ClosedSchema(Schema):
    """A schema whose fields decide about single values and whose `rules` decide about several at once."""

    error_messages = _MESSAGES
    rules: ClassVar[tuple[Rule, ...]] = ()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_rules(self, _loaded: object, data: object, **_options: object) -> None:
        """Run every rule on the data as it came, also after field errors, so that all problems are reported at once."""
        if not isinstance(data, Mapping):
            return  # the field errors say so already
        faults = [fault for rule in self.rules for fault in rule(data)]
        if faults:
            raise ValidationError(faults)


class OpenSchema(ClosedSchema):
    """The same, and keys it does not know are let through."""

    class Meta(ClosedSchema.Meta):
        """marshmallow's options."""

        unknown = INCLUDE


def is_present(value: object) -> bool:
    """Tell whether a value is more than null, an empty string, list or object (inferred: to Meta these are absent)."""
    return bool(value) or (value is not None and value not in ("", [], {}))


def section(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of the event, such as its ``user_data``; empty where there is no such object."""
    part = event.get(key)
    return part if isinstance(part, OBJECT) else {}
