from hashlib import md5, sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.hashing import SHA256_OF_NOTHING, is_md5, is_sha256, lower_hex, sha256_hex

DIGEST = sha256(b"john@example.com").hexdigest()


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_digest_is_seen_as_one_in_either_case(text: str) -> None:
    digest = sha256_hex(text)

    assert is_sha256(digest)
    assert is_sha256(digest.upper())


@pytest.mark.parametrize("appendix", ["", ".AQ", ".AQQCAQMC", ".a_-9b_-9"])
def test_the_builders_appendix_stays_while_the_hex_part_is_lowered(appendix: str) -> None:
    given_digest = DIGEST.upper() + appendix

    assert is_sha256(given_digest)
    assert lower_hex(given_digest) == DIGEST + appendix


@pytest.mark.parametrize(
    "value", ["", DIGEST[:-1], DIGEST + "0", DIGEST + ".", DIGEST + ".ABC", "sha256:" + DIGEST, DIGEST + "\n", "g" * 64]
)
def test_what_is_no_sha256_is_not_taken_for_one(value: str) -> None:
    assert not is_sha256(value)


def test_an_md5_is_told_from_a_sha256() -> None:
    digest = md5(b"john@example.com", usedforsecurity=False).hexdigest()

    assert is_md5(digest)
    assert is_md5(digest.upper())
    assert not is_md5(DIGEST)
    assert not is_sha256(digest)


def test_the_digest_of_nothing_is_known() -> None:
    assert sha256_hex("") == SHA256_OF_NOTHING


def test_a_lone_surrogate_cannot_be_hashed() -> None:
    with pytest.raises(UnicodeEncodeError):
        sha256_hex("\ud800")
