"""What all text goes through: the cleaning that personal fields share, and which keys a message may show."""

import re
import unicodedata
from typing import Final

# What Unicode calls default ignorable: characters that show nothing and would only change the hash.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_ASCII_MARKS: Final = str.maketrans("", "", "".join(char for char in map(chr, range(128)) if not char.isalnum()))
# Below the combining characters no letter waits for its mark, so each can be judged alone.
_BEYOND_LATIN: Final = re.compile("[^\0-\u02ff]")
_LATIN_MARKS: Final = dict.fromkeys(code for code in range(0x300) if unicodedata.category(chr(code))[0] not in "LMN")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,19}[0-9]?[A-Za-z_]{0,19}")
_ASCII_DIGITS: Final = str.maketrans("", "", "0123456789")


def trimmed(text: str) -> str:
    """Return the text without invisible characters and without white space around it."""
    return text.strip() if text.isascii() else _INVISIBLE.sub("", text).strip()


def letters_and_digits(text: str) -> str:
    """Return the text in lower case and NFC with letters, their marks and digits only; letters of every script stay."""
    if text.isascii():
        return text.lower().translate(_ASCII_MARKS)
    # Filter first: a removed character may have stood between a letter and its mark, or behind a final sigma.
    if _BEYOND_LATIN.search(text) is None:
        kept = text.translate(_LATIN_MARKS)
    else:
        kept = "".join(char for char in _INVISIBLE.sub("", text) if unicodedata.category(char)[0] in "LMN")
    return unicodedata.normalize("NFC", kept.lower())


def without_digits(text: str) -> str:
    """Return the text without its decimal digits."""
    if text.isascii():
        return text.translate(_ASCII_DIGITS)
    return "".join(char for char in text if not char.isdecimal())


def shown(key: object) -> str:
    """Return the key for a message if it is a name; what is no name could be somebody's personal data."""
    return key if isinstance(key, str) and _NAME.fullmatch(key) else "(a key)"
