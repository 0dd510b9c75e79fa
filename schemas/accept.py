"""The accept path: types compiled from the schemas at start, which take a valid event twenty times faster.

marshmallow stays the one place where a rule is written. What these types take, the schemas take too; what they refuse
goes to the schemas for the verdict and all messages, so a refusal here is never wrong, only slower.

The caller answers for the JSON's form (no key twice, no NaN): it hands over only bytes that ``wire.encode`` has
written.
"""

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import msgspec
from marshmallow import Schema, fields
from msgspec import UNSET

from schemas.accept_checks import Check, digests_match, fine, keeps_rules, of_each, of_member, passes, together
from schemas.app_data import ExtInfo
from schemas.base import ClosedSchema, Decoded, OpenSchema, Rule
from schemas.custom_data import properties_are_json
from schemas.event import EventSchema
from schemas.field_types import NotCompilableError, type_of
from schemas.fields import ListOf, Object

# Rules that look at keys the compiled types leave out; ``null`` is all they refuse, and no bytes with a null get here.
_ABOUT_UNKNOWN_KEYS: Final[frozenset[Rule]] = frozenset({properties_are_json})


class Node(msgspec.Struct, Decoded, gc=False):
    """A decoded object."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    """One schema as a type, and what is left to check of a decoded object."""

    type: type[Node]
    check: Check | None


class Acceptor:
    """Takes events that are surely valid."""

    def __init__(self, schema: type[ClosedSchema] = EventSchema) -> None:
        """Compile the schema.

        Raises:
            NotCompilableError: it uses something unknown here; the message names it.
        """
        compiled = _compile(schema)
        self._decoder = msgspec.json.Decoder(compiled.type)
        self._check = compiled.check or fine

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
        return event if self._check(event) else None


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
    checks = digests_match(made) + keeps_rules(rule for rule in schema.rules if rule not in _ABOUT_UNKNOWN_KEYS)
    members: list[Any] = []
    for name, field in made.fields.items():
        kind = type_of(field)
        if check := _check_of(field):
            checks.append(of_member(name, check))
        if field.allow_none:
            kind = kind | None
        members.append((name, kind) if field.required else (name, kind | msgspec.UnsetType, UNSET))
    node = msgspec.defstruct(
        schema.__name__.removesuffix("Schema"),
        members,
        bases=(Node,),
        forbid_unknown_fields=not issubclass(schema, OpenSchema),
        kw_only=True,
        gc=False,
    )
    return _Compiled(cast("type[Node]", node), together(checks) if checks else None)


def _check_of(field: fields.Field[Any]) -> Check | None:
    """Return what the field's type cannot say: the rules of the object it holds, or a validator of its own."""
    if isinstance(field, Object):
        return _compile(type(field.schema)).check
    if isinstance(field, ListOf):
        inner = _check_of(field.inner)
        return of_each(inner) if inner else None
    if isinstance(field, ExtInfo):
        return together([passes(validator) for validator in field.validators])
    return None


@type_of.register
def _(field: Object) -> Any:  # noqa: ANN401 - a type annotation
    return _compile(type(field.schema)).type
