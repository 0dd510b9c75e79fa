import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.redact import safe_text

HASH = hashlib.sha256(b"anna@shop.example").hexdigest()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Event Timestamp Too Old", "Event Timestamp Too Old"),
        ("Horodatage trop ancien : événement", "Horodatage trop ancien : événement"),
        ("  two\r\nlines\tand   spaces ", "two lines and spaces"),
        ("\x1b[2Jcleared\x07", "[2Jcleared"),
        ("right\u202eleft\u2066\u200b", "rightleft"),
        ("line\u2028separator", "line separator"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("token EAABsbCS1iHg|x-y_Z expired", "token *** expired"),
        ("token EAA\u200bBsbCS1iHg expired", "token *** expired"),
        (f"em {HASH} is unknown", "em *** is unknown"),
        (f"em {HASH.upper()}.AQICAQMC is unknown", "em ***.AQICAQMC is unknown"),
        ("mail to <anna.b+c@shop.example>, please", "mail to <***>, please"),
        ("", ""),
    ],
)
def test_foreign_text_becomes_one_safe_line(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_a_text_is_cut_after_its_secrets_are_masked() -> None:
    assert safe_text("x" * 190 + " " + HASH) == "x" * 190 + " ***"


def test_a_huge_text_costs_no_more_than_a_short_one() -> None:
    assert len(safe_text("a@" * 1_000_000)) <= 200


@given(st.text(max_size=400), st.integers(min_value=1, max_value=300))
def test_any_text_becomes_short_and_printable(text: str, most: int) -> None:
    safe = safe_text(text, most)

    assert len(safe) <= most
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in safe)


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_secret_comes_through_whatever_stands_around_it(before: str, after: str) -> None:
    safe = safe_text(f"{before} EAABcanary {HASH} canary@shop.example {after}", 1000)

    assert "canary" not in safe
    assert HASH[:32] not in safe
