"""The msgspec type that says what a field and its validators say: one case for each kind of field.

A patterned ``str`` must not stand in a union with a list or an object: msgspec 0.22 crashes when it frees such a type.
"""

import re
from functools import singledispatch
from typing import Annotated, Any, Final, Literal, TypeVar

from marshmallow import fields
from msgspec import Meta

from schemas.app_data import ExtInfo
from schemas.fields import (
    Boolean,
    Flag,
    Identifier,
    Integer,
    ListOf,
    NumberOrNumericString,
    OneOrMany,
    Scalar,
    Strict,
    Text,
)
from schemas.validators import (
    DIGEST_LENGTH,
    HASH,
    NOT_EMPTY,
    NUMERIC,
    Below,
    Digits,
    Length,
    Matches,
    Numeric,
    OneOf,
)

# A longer numeric string may be infinite as a float: the schemas decide.
_NUMERIC_CHARACTERS: Final = 200
_NOT_NEGATIVE: Final = NUMERIC.pattern.replace("-?", "")


class NotCompilableError(Exception):
    """A schema uses something this compiler does not know, and so takes the ordinary path."""


@singledispatch
def type_of(field: fields.Field[Any]) -> Any:  # noqa: ANN401 - a type annotation
    """Return the type; raise NotCompilableError for a field that is unknown here."""
    raise NotCompilableError(f"a field of type {type(field).__name__}")


@type_of.register
def _(field: ListOf) -> Any:  # noqa: ANN401
    return list[type_of(field.inner)]  # type: ignore[misc] # made at run time


@type_of.register
def _(_: ExtInfo) -> Any:  # noqa: ANN401
    return list[Any]


@type_of.register
def _(field: OneOrMany) -> Any:  # noqa: ANN401
    # No pattern here: msgspec 0.22 crashes when it frees a union of a str that has one and a list.
    if field.pattern is HASH:
        shortest = DIGEST_LENGTH  # what else a digest must be is checked of all digests of an object together
    elif field.pattern is NOT_EMPTY:
        shortest = 1
    else:
        raise NotCompilableError(f"the pattern {field.pattern.pattern}")
    text = Annotated[str, Meta(min_length=shortest)]
    return text | Annotated[list[text], Meta(min_length=1)]


@type_of.register
def _(field: Text) -> Any:  # noqa: ANN401
    return _constrained(str, field)


@type_of.register
def _(field: Integer) -> Any:  # noqa: ANN401
    return _constrained(int, field)


@type_of.register
def _(field: Boolean) -> Any:  # noqa: ANN401
    return _unvalidated(field, bool)


@type_of.register
def _(field: Scalar) -> Any:  # noqa: ANN401
    return _unvalidated(field, str | int | float | bool)


@type_of.register
def _(field: Flag) -> Any:  # noqa: ANN401
    _only(field, OneOf)
    return bool | Literal[0, 1]


@type_of.register
def _(field: Identifier) -> Any:  # noqa: ANN401
    if not field.validators:
        return Annotated[str, Meta(min_length=1)] | int
    digits = _only(field, Digits)
    text = Annotated[str, Meta(pattern=rf"\A[0-9]{{{digits.minimum},{digits.maximum}}}\Z")]
    return text | Annotated[int, Meta(ge=10 ** (digits.minimum - 1), lt=10**digits.maximum)]


@type_of.register
def _(field: NumberOrNumericString) -> Any:  # noqa: ANN401
    if _only(field, Numeric).may_be_negative:
        return Annotated[str, Meta(pattern=NUMERIC.pattern, max_length=_NUMERIC_CHARACTERS)] | float
    text = Annotated[str, Meta(pattern=_NOT_NEGATIVE, max_length=_NUMERIC_CHARACTERS)]
    return text | Annotated[float, Meta(ge=0.0)]


def _constrained(kind: type, field: Strict) -> Any:  # noqa: ANN401
    """Return a type that says what the field's validators say."""
    for validator in field.validators:
        match validator:
            case Matches(pattern):
                kind = _matching(pattern)
            case Length(maximum):
                kind = Annotated[kind, Meta(min_length=1, max_length=maximum)]  # type: ignore[assignment]
            case Below(limit):
                kind = Annotated[kind, Meta(lt=limit)]  # type: ignore[assignment]
            case OneOf(choices):
                kind = Literal[tuple(sorted(choices))]  # type: ignore[assignment]
            case _:
                raise NotCompilableError(f"the validator {type(validator).__name__}")
    return kind


def _matching(pattern: re.Pattern[str]) -> Any:  # noqa: ANN401
    r"""Return a str with the pattern: msgspec searches, so it must begin where a match begins."""
    if pattern is NOT_EMPTY:
        return Annotated[str, Meta(min_length=1)]
    if pattern.flags & ~re.UNICODE or not pattern.pattern.startswith(r"\A"):
        raise NotCompilableError(f"the pattern {pattern.pattern}")
    return Annotated[str, Meta(pattern=pattern.pattern)]


def _unvalidated(field: Strict, kind: Any) -> Any:  # noqa: ANN401
    if field.validators:
        raise NotCompilableError(f"validators on a {type(field).__name__}")
    return kind


_T = TypeVar("_T")


def _only(field: Strict, kind: type[_T]) -> _T:
    (validator,) = field.validators
    if not isinstance(validator, kind):
        raise NotCompilableError(f"the validator {type(validator).__name__} on a {type(field).__name__}")
    return validator
