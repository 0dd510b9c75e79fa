"""The field classes: strict about types, silent about the value, and plain enough to compile something faster from.

A field takes exactly the Python types that decoded JSON has (`types`; so a bool is never a number) and hands the value
on untouched. What else it asks for stands in the attributes of its validators, or in `pattern` for one string or many.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, types

from schemas.validators import HASH, NOT_EMPTY, Matches, Numeric, OneOf

# UNVERIFIED: that Meta refuses null outside user_data. Its own SDKs never send one, so no event of ours needs it.
_MESSAGES: types.ErrorMessages = {"required": "missing", "null": "null"}
_LIST_MESSAGES: types.ErrorMessages = {**_MESSAGES, "invalid": "not_list"}


class Strict(fields.Field[object]):
    """A field that takes or refuses a value by its exact type and never changes it."""

    default_error_messages = _MESSAGES
    types: ClassVar[tuple[type, ...]]
    wrong_type: ClassVar[str]

    def check(self, value: object) -> None:
        """Raise ValidationError for a value of another type."""
        if type(value) not in self.types:
            raise ValidationError(self.wrong_type)

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, Any] | None, **options: object
    ) -> object:
        self.check(value)
        return super()._deserialize(value, attr, data, **options)


class Text(Strict):
    """A string."""

    types = (str,)
    wrong_type = "not_string"


class Integer(Strict):
    """An integer."""

    types = (int,)
    wrong_type = "not_integer"


class UnixSeconds(Integer):
    """An integer that is a time; its code says what to do with a date."""

    wrong_type = "not_unix_seconds"


class Boolean(Strict):
    """``true`` or ``false``."""

    types = (bool,)
    wrong_type = "not_boolean"


class Scalar(Strict):
    """A string, a number or a boolean."""

    types = (str, int, float, bool)
    wrong_type = "not_scalar"


class Flag(Strict):
    """0 or 1, or a boolean (both are in use)."""

    types = (bool, int)
    wrong_type = "not_flag"

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, validate=OneOf(frozenset({0, 1}), "not_flag"))


class Identifier(Strict):
    """A non-empty string or an integer.

    UNVERIFIED: that Meta takes an integer where its tables say string and the other way round; its own pages differ.
    """

    types = (str, int)
    wrong_type = "not_id"

    def check(self, value: object) -> None:
        """Raise ValidationError for a value of another type, and for the empty string."""
        super().check(value)
        if value == "":
            raise ValidationError(self.wrong_type)


class NumberOrNumericString(Strict):
    """A finite number, or a string that holds one: both are valid as they stand (Meta: custom-data)."""

    types = (int, float, str)
    wrong_type = "not_number"

    def __init__(self, *, may_be_negative: bool = False) -> None:
        super().__init__(validate=Numeric(may_be_negative=may_be_negative))


class HashText(Text):
    """One digest."""

    def __init__(self) -> None:
        super().__init__(validate=Matches(HASH, "not_hashed"))


class OneOrMany(Strict):
    """A string or a non-empty list of strings, each matching `pattern`; `wrong_type` is the code for anything else."""

    types = (str, list)
    pattern: ClassVar[re.Pattern[str]]

    def check(self, value: object) -> None:
        """Raise ValidationError, for a list by index."""
        if isinstance(value, list) and value:
            bad = {index: [self.wrong_type] for index, each in enumerate(value) if not self._fits(each)}
            if bad:
                raise ValidationError(bad)
        elif not self._fits(value):
            raise ValidationError(self.wrong_type)

    def _fits(self, value: object) -> bool:
        return isinstance(value, str) and self.pattern.match(value) is not None


class HashField(OneOrMany):
    """One digest or several: raw personal data is no digest, and so is refused."""

    pattern = HASH
    wrong_type = "not_hashed"


class ExternalId(OneOrMany):
    """The advertiser's own id of a person, hashed or not (Meta: external-id; hashing is only recommended)."""

    pattern = NOT_EMPTY
    wrong_type = "not_external_id"


class ListOf(fields.List[object]):
    """A list whose members `inner` decides about."""

    default_error_messages = _LIST_MESSAGES

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, Any] | None, **options: object
    ) -> list[object | None]:
        if not isinstance(value, list):  # marshmallow would take any collection, an object's keys among them
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **options)


class Object(fields.Nested):
    """An object that another schema decides about."""

    default_error_messages = _MESSAGES
