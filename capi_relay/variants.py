"""Second readings: what else a name, a city or a phone number may have been hashed as, for ``match_variants``.

Meta's page allows accents and drops punctuation; Meta's own libraries drop accents, or keep hyphens, and a zero that is
dialled at home is written behind the calling code by some. Where a value can be read in two such ways, both are sent:
these fields take lists (Meta: customer-information-parameters).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from capi_relay.hashing import is_sha256
from capi_relay.normalize import NORMALIZERS, ph
from capi_relay.phones import by_the_rules, without_trunk_zero
from capi_relay.text import letters_and_digits, trimmed

_HYPHENS: Final = re.compile("[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+")
# Only on Latin letters is a mark an accent that people leave away; elsewhere it makes another letter.
_ACCENTED: Final = re.compile("([a-z])[\u0300-\u036f]+")
_WITHOUT_A_MARK: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "ł": "l", "þ": "th"}
)


def other_readings(key: str, value: str, country: str | None = None) -> tuple[str, ...]:
    """Return further normal forms of a raw value beside the documented one, each once; none for a digest.

    Args:
        key: Meta's key in ``user_data``.
        value: The value as it was given.
        country: ISO alpha-2 code that a national phone number belongs to.
    """
    readings = _READINGS.get(key)
    if readings is None or is_sha256(trimmed(value)):
        return ()
    documented = ph(value, country) if key == "ph" else NORMALIZERS[key](value)
    if documented is None:
        return ()
    found = dict.fromkeys(readings(value, documented, country))
    found.pop(documented, None)
    return tuple(found)


def _of_name(value: str, documented: str, _country: str | None) -> Iterator[str]:
    """Yield the name with its hyphens (``mary-jane``), and both without accents."""
    parts = [part for part in map(letters_and_digits, _HYPHENS.split(value)) if part]
    for reading in (documented, "-".join(parts)) if len(parts) > 1 else (documented,):
        yield reading
        yield _without_accents(reading)


def _of_city(_value: str, documented: str, _country: str | None) -> Iterator[str]:
    """Yield the city without accents (``saopaulo``)."""
    yield _without_accents(documented)


def _of_phone(value: str, documented: str, country: str | None) -> Iterator[str]:
    """Yield the number with and without the trunk zero that stands behind its calling code."""
    for number in (documented, by_the_rules(value, country)):
        if number:
            yield number
            if shorter := without_trunk_zero(number):
                yield shorter


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    bare = _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", text.translate(_WITHOUT_A_MARK)))
    return unicodedata.normalize("NFC", bare)


_READINGS: Final[dict[str, Callable[[str, str, str | None], Iterator[str]]]] = {
    "fn": _of_name,
    "ln": _of_name,
    "ct": _of_city,
    "ph": _of_phone,
}
VARIED: Final = frozenset(_READINGS)
"""The keys whose values can have second readings."""
