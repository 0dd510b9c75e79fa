"""The accept path: types compiled from the schemas at start, which take a valid event from its bytes ten times faster.

marshmallow stays the one place where a rule is written. What these types take, the schemas take too; what they refuse
goes to the schemas for the verdict and all messages, so a refusal here is never wrong, only slower.

The caller answers for the JSON's form (no key twice, no NaN): it hands over only bytes that ``wire.encode`` has
written.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import msgspec
from marshmallow import Schema, ValidationError, fields
from msgspec import UNSET

from schemas.app_data import ExtInfo
from schemas.base import ClosedSchema, OpenSchema, Rule
from schemas.custom_data import properties_are_json
from schemas.event import EventSchema
from schemas.field_types import NotCompilableError, type_of
from schemas.fields import ListOf, Object, OneOrMany

# Rules that look at keys the compiled types leave out; ``null`` is all they refuse, and no bytes with a null get here.
_ABOUT_UNKNOWN_KEYS: Final[frozenset[Rule]] = frozenset({properties_are_json})


class Node(msgspec.Struct):
    """A decoded object that the cross-field rules can read as the mapping they were written for."""

    def get(self, key: str, default: object = None) -> object:
        """Return the value of a key, or the default where it is absent."""
        value = getattr(self, key, UNSET)
        return default if value is UNSET else value

    def __contains__(self, key: str) -> bool:
        return getattr(self, key, UNSET) is not UNSET


Mapping.register(Node)

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One schema as a type, and what is left to check of a decoded object."""

    type: type[Node]
    checks: tuple[Check, ...]


class Acceptor:
    """Takes events that are surely valid."""

    def __init__(self, schema: type[ClosedSchema] = EventSchema) -> None:
        """Compile the schema.

        Raises:
            NotCompilableError: it uses something unknown here; the message names it.
        """
        compiled = _compile(schema)
        self._decoder = msgspec.json.Decoder(compiled.type)
        self._checks = compiled.checks

    def take(self, data: bytes) -> Any:  # noqa: ANN401 - a Node of the schema's own fields
        """Return the event read from its bytes where it is valid, or None: ask the schemas.

        Args:
            data: one event as ``wire.encode`` writes it.
        """
        if b"null" in data:
            return None
        try:
            event = self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        for check in self._checks:
            if not check(event):
                return None
        return event


@cache
def acceptor() -> Acceptor | None:
    """Return this process's acceptor, or None with a warning in the log where the schemas cannot be compiled."""
    try:
        return Acceptor()
    except NotCompilableError as error:
        logging.getLogger(__name__).warning("the schemas are not compiled, validation is slow: %s", error)
        return None


def _compile(schema: type[Schema]) -> _Compiled:
    if not issubclass(schema, ClosedSchema):
        raise NotCompilableError(f"{schema.__name__} is no schema of ours")
    made = schema()
    checks: list[Check] = [_rule_check(rule) for rule in schema.rules if rule not in _ABOUT_UNKNOWN_KEYS]
    if any(isinstance(field, OneOrMany) for field in made.fields.values()):
        checks.insert(0, _lone_texts_match(made))
    members: list[Any] = []
    for name, field in made.fields.items():
        kind = type_of(field)
        inner_checks = _checks_of(field)
        checks += [_member_check(name, check) for check in inner_checks]
        if field.allow_none:
            kind = kind | None
        members.append((name, kind) if field.required else (name, kind | msgspec.UnsetType, UNSET))
    node = msgspec.defstruct(
        schema.__name__.removesuffix("Schema"),
        members,
        bases=(Node,),
        forbid_unknown_fields=not issubclass(schema, OpenSchema),
        kw_only=True,
    )
    return _Compiled(cast("type[Node]", node), tuple(checks))


def _rule_check(rule: Rule) -> Check:
    return lambda node: next(rule(node), None) is None


def _member_check(name: str, check: Check) -> Check:
    def of_member(node: object) -> bool:
        value = getattr(node, name)
        return value is UNSET or value is None or check(value)

    return of_member


def _checks_of(field: fields.Field[Any]) -> tuple[Check, ...]:
    """Return what the field's type cannot say: the rules of the object it holds, or a validator of its own."""
    if isinstance(field, Object):
        return _compile(type(field.schema)).checks
    if isinstance(field, ListOf):
        inner = _checks_of(field.inner)
        return tuple(_each(check) for check in inner)
    if isinstance(field, ExtInfo):
        return tuple(_passes(validator) for validator in field.validators)
    return ()


def _lone_texts_match(made: Schema) -> Check:
    """Check the strings of all fields that take one or many, in one walk."""
    patterns = tuple((name, field.pattern.match) for name, field in made.fields.items() if isinstance(field, OneOrMany))

    def match(node: object) -> bool:
        for name, fits in patterns:
            value = getattr(node, name)
            if type(value) is str and not fits(value):
                return False
        return True

    return match


def _each(check: Check) -> Check:
    return lambda values: all(map(check, values))


def _passes(validator: Callable[[Any], Any]) -> Check:
    def passes(value: object) -> bool:
        try:
            validator(value)
        except ValidationError:
            return False
        return True

    return passes


@type_of.register
def _(field: Object) -> Any:  # noqa: ANN401 - a type annotation
    return _compile(type(field.schema)).type
