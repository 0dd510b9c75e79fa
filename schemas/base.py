"""The base of all our schemas: marshmallow that decides and never transforms, and speaks in codes.

A schema is *closed* (unknown keys refused) only where Meta is known to refuse them, or where an unknown key might be
raw personal data; it is *open* everywhere else.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from marshmallow import INCLUDE, Schema, ValidationError, validates_schema


@dataclass(frozen=True, slots=True)
class Fault:
    """What a cross-field rule found: a path relative to the schema that owns the rule, and a code."""

    path: tuple[str | int, ...]
    code: str


# A rule sees the data as it came, whatever the fields thought of it, so it must stand any JSON type in any place.
Rule = Callable[[Mapping[str, Any]], Iterator[Fault]]

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
    return value is not None and value not in ("", [], {})


def section(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of the event, such as its ``user_data``; empty where there is no such object."""
    part = event.get(key)
    return part if isinstance(part, Mapping) else {}
