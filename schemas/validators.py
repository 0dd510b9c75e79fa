"""The validators: each a frozen record of what it asks for, so that code can read the rule from its attributes."""

import math
import re
from dataclasses import dataclass
from typing import Final

from marshmallow import ValidationError

# SHA-256 in lowercase hex, perhaps with the appendix of Meta's own parameter builder (Meta: parameter-builder-library).
DIGEST_LENGTH: Final = 64
HASH: Final = re.compile(r"\A[0-9a-f]{64}(\.[A-Za-z0-9_-]{2}([A-Za-z0-9_-]{6})?)?\Z")
# UNVERIFIED: which other spellings Meta reads as a number (1e3, +5); its examples have plain decimals.
NUMERIC: Final = re.compile(r"\A-?([0-9]+\.?[0-9]*|\.[0-9]+)\Z")
NOT_EMPTY: Final = re.compile(r"(?s:.)")


@dataclass(frozen=True, slots=True)
class Matches:
    r"""The string matches a pattern from its start on; the pattern says ``\Z`` where it must match to the end."""

    pattern: re.Pattern[str]
    code: str

    def __call__(self, value: str) -> None:
        """Raise ValidationError where it does not."""
        if not self.pattern.match(value):
            raise ValidationError(self.code)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of a closed set."""

    choices: frozenset[str] | frozenset[int]
    code: str

    def __call__(self, value: object) -> None:
        """Raise ValidationError where it is not."""
        if value not in self.choices:
            raise ValidationError(self.code)


@dataclass(frozen=True, slots=True)
class Length:
    """The string has at least one character and at most `maximum`."""

    maximum: int

    def __call__(self, value: str) -> None:
        """Raise ValidationError where it has not."""
        if not value:
            raise ValidationError("empty")
        if len(value) > self.maximum:
            raise ValidationError("too_long")


@dataclass(frozen=True, slots=True)
class Below:
    """The number is smaller than a limit."""

    limit: int
    code: str

    def __call__(self, value: int) -> None:
        """Raise ValidationError where it is not."""
        if value >= self.limit:
            raise ValidationError(self.code)


@dataclass(frozen=True, slots=True)
class Numeric:
    """The value is a finite number or a string that holds one; never below zero unless `may_be_negative`."""

    may_be_negative: bool = False

    def __call__(self, value: float | str) -> None:
        """Raise ValidationError where it is not."""
        if isinstance(value, str):
            if not NUMERIC.match(value):
                raise ValidationError("not_number")
            value = float(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValidationError("not_number")
        if value < 0 and not self.may_be_negative:
            raise ValidationError("negative")


@dataclass(frozen=True, slots=True)
class Digits:
    """The integer, or the string of digits, has from `minimum` to `maximum` digits."""

    minimum: int
    maximum: int
    code: str

    def __call__(self, value: int | str) -> None:
        """Raise ValidationError where it has not."""
        if isinstance(value, int):
            fits = 10 ** (self.minimum - 1) <= value < 10**self.maximum
        else:
            fits = value.isascii() and value.isdigit() and self.minimum <= len(value) <= self.maximum
        if not fits:
            raise ValidationError(self.code)
