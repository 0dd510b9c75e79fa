"""The extra ``capi-relay[phone]``: numbers as the package ``phonenumbers`` reads them, where it is installed.

It knows each country's numbering plan: trunk prefixes that are no zero, the zero people write behind the calling code,
the digits that only a mobile has. What it does not know as a valid number is left to the documented rules.
"""

from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def _library() -> ModuleType | None:
    """Import it with the first number that needs it (about 30 ms), or find once that it is not there."""
    try:
        return import_module("phonenumbers")
    except ImportError:
        return None


def read(number: str, country: str | None) -> str | None:
    """Return calling code and number as digits, or None where the library is missing or knows no such number.

    Args:
        number: Digits, with ``+`` in front of an international number.
        country: ISO alpha-2 code in upper case, for a national number.
    """
    library = _library()
    if library is None:
        return None
    try:
        parsed = library.parse(number, country)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(parsed):
        return None
    return f"{parsed.country_code}{library.national_significant_number(parsed)}"
