"""The documented normal form of every personal field, one pure function each: what is hashed and sent to Meta.

Each returns the normal form, or None when the value has none and must be left out. A normal form is its own normal
form. The rules are Meta's (customer-information-parameters). Where they leave a choice: invisible characters go; names
and places keep letters, marks and digits of every script, composed (Unicode NFC).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from capi_relay.countries import COUNTRY_CODES, STATE_CODES, folded
from capi_relay.phones import ph
from capi_relay.text import letters_and_digits, trimmed, without_digits

__all__ = ["NORMALIZERS", "country", "ct", "db", "dobd", "dobm", "doby", "em", "external_id"]
__all__ += ["f5first", "f5last", "fi", "fn", "ge", "ln", "ph", "st", "zp"]

_PART: Final = r"""[^\s@<>()\[\],;:"\\\x00-\x1f\x7f]"""
_LABEL: Final = r"""[^\s@<>()\[\],;:"\\\x00-\x1f\x7f.]"""
_ADDRESS: Final = re.compile(rf"{_PART}+@(?:{_LABEL}+\.)+{_LABEL}+")

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?:[T ]\d.*)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_OLDEST_YEAR: Final = 1900

_US_ZIP: Final = re.compile(r"(\d{5})-\d{4}")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+")

_GENDERS: Final = {
    word: letter
    for letter, words in {
        "f": "f female feminine woman women girl lady she her mrs ms miss w weiblich femme femenino feminino femminile",
        "m": "m male masculine man men boy gentleman he him mr mann männlich homme hombre masculino maschile",
    }.items()
    for word in words.split()
}


def em(value: str) -> str | None:
    """Trim and lower an e-mail address; dots and plus tags stay. None unless it looks like one address."""
    address = trimmed(value).lower()
    return address if _ADDRESS.fullmatch(address) else None


def fn(value: str) -> str | None:
    """Return a first name in lower case without punctuation and spaces; letters of every script stay."""
    return letters_and_digits(value) or None


def ln(value: str) -> str | None:
    """Return a last name in lower case without punctuation and spaces; letters of every script stay."""
    return letters_and_digits(value) or None


def f5first(value: str) -> str | None:
    """Return the first five characters of the normal first name."""
    return letters_and_digits(value)[:5] or None


def f5last(value: str) -> str | None:
    """Return the first five characters of the normal last name."""
    return letters_and_digits(value)[:5] or None


def fi(value: str) -> str | None:
    """Return the first character of the normal first name."""
    return letters_and_digits(value)[:1] or None


def db(value: str | date, *, today: date | None = None) -> str | None:
    """Return a date of birth as YYYYMMDD, or None unless it is a date from 1900 to today that can be read one way.

    With the year last, the order that makes a calendar date holds. Where both do, month first between slashes (Meta's
    own example is 2/16/1997) and day first between dots; between dashes there is no telling.
    """
    birthday = _date_in(value.isoformat() if isinstance(value, date) else trimmed(value))
    if birthday is None or birthday.year < _OLDEST_YEAR or birthday > (today or datetime.now(tz=UTC).date()):
        return None
    return f"{birthday:%Y%m%d}"


def _date_in(text: str) -> date | None:
    """Return the one date the text can mean."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, separator, month, day = match.groups()
        return _calendar_date(year, month, day) if separator or len(text) == len("YYYYMMDD") else None
    match = _YEAR_LAST.fullmatch(text)
    if match is None:
        return None
    first, separator, second, year = match.groups()
    month_first, day_first = _calendar_date(year, first, second), _calendar_date(year, second, first)
    if month_first and day_first and month_first != day_first:
        return {"/": month_first, ".": day_first}.get(separator)
    return month_first or day_first


def _calendar_date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def dobd(value: str) -> str | None:
    """Return a day of birth as two digits, 01 to 31."""
    return _two_digits(value, 31)


def dobm(value: str) -> str | None:
    """Return a month of birth as two digits, 01 to 12."""
    return _two_digits(value, 12)


def _two_digits(value: str, largest: int) -> str | None:
    text = trimmed(value)
    number = int(text) if text.isdecimal() and len(text) <= len("DD") else 0
    return f"{number:02}" if 1 <= number <= largest else None


def doby(value: str, *, today: date | None = None) -> str | None:
    """Return a year of birth as four digits, 1900 to this year."""
    text = trimmed(value)
    year = int(text) if text.isdecimal() and len(text) == len("YYYY") else 0
    return str(year) if _OLDEST_YEAR <= year <= (today or datetime.now(tz=UTC)).year else None


def ge(value: str) -> str | None:
    """Return f or m for the usual words, or None."""
    return _GENDERS.get(letters_and_digits(value))


def ct(value: str) -> str | None:
    """Return a city in lower case without punctuation, spaces and digits; letters of every script stay."""
    return letters_and_digits(without_digits(value)) or None


def st(value: str) -> str | None:
    """Return the two-letter code of a US state or Canadian province, else the region's letters and digits."""
    region = letters_and_digits(value)
    return STATE_CODES.get(folded(region), region) or None


def zp(value: str) -> str | None:
    """Return a postal code in lower case without spaces and dashes; of a US ZIP+4 the first five digits."""
    code = "".join(trimmed(value).lower().split())
    if not code.isascii():
        code = _DASHES.sub("-", code)
    if match := _US_ZIP.fullmatch(code):
        return match[1]
    return code.replace("-", "") or None


def country(value: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code in lower case of a code or an English name, or None."""
    return COUNTRY_CODES.get(value.lower()) or COUNTRY_CODES.get(folded(value))


def external_id(value: str) -> str | None:
    """Trim the advertiser's own id; no other rule is documented, so it must be written alike in every channel."""
    return trimmed(value) or None


NORMALIZERS: Final[dict[str, Callable[[str], str | None]]] = {
    "em": em,
    "ph": ph,
    "fn": fn,
    "ln": ln,
    "db": db,
    "ge": ge,
    "ct": ct,
    "st": st,
    "zp": zp,
    "country": country,
    "external_id": external_id,
    "f5first": f5first,
    "f5last": f5last,
    "fi": fi,
    "dobd": dobd,
    "dobm": dobm,
    "doby": doby,
}
"""Meta's key -> the function that normalises its values; ``ph`` takes the default country too."""
