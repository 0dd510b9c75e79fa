"""Cleaning text the short way gives what the long way gives."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from capi_relay.text import _INVISIBLE, letters_and_digits

LATIN = "".join(map(chr, range(0x300)))


def by_categories(text: str) -> str:
    kept = "".join(char for char in _INVISIBLE.sub("", text) if unicodedata.category(char)[0] in "LMN")
    return unicodedata.normalize("NFC", kept.lower())


def test_each_latin_character_is_kept_or_dropped_by_its_category() -> None:
    for text in (LATIN, *LATIN):
        assert letters_and_digits(text) == by_categories(text)


@given(text=st.text(st.characters(max_codepoint=0x320)) | st.text())
def test_names_are_cleaned_alike_whatever_letters_they_hold(text: str) -> None:
    assert letters_and_digits(text) == by_categories(text)
