import copy
import json
import pickle
from collections.abc import Callable

import pytest

from capi_relay.errors import MisconfiguredError
from worker.tokens import AccessToken

VALUE = "EAABcanary123|x-y_z"


@pytest.mark.parametrize("shown", [repr, str, "{}".format, lambda token: f"{[token]}"])
def test_a_token_shows_itself_as_stars(shown: Callable[[AccessToken], str]) -> None:
    text = shown(AccessToken(VALUE))

    assert text.strip("[]") == "***"


def test_a_token_gives_its_value_when_asked_for_it() -> None:
    assert AccessToken(VALUE).reveal() == VALUE


@pytest.mark.parametrize("take_out", [pickle.dumps, copy.copy, copy.deepcopy, json.JSONEncoder().encode, vars])
def test_a_token_refuses_to_be_serialised(take_out: Callable[[AccessToken], object]) -> None:
    with pytest.raises(TypeError) as refusal:
        take_out(AccessToken(VALUE))

    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "canary\r\nX-Evil: 1",
        "canary\n",
        " canary",
        "canary token",
        '"canary"',
        "canary\x00",
        "canaryé",
        "canary\uff11",
    ],
)
def test_a_token_that_could_not_stand_in_a_header_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(MisconfiguredError) as refusal:
        AccessToken(value)

    assert "canary" not in str(refusal.value)


def test_the_refusal_says_at_which_character_to_look() -> None:
    with pytest.raises(MisconfiguredError, match=r"character 7 of this one \(7 long\)"):
        AccessToken("abcdef\n")


def test_tokens_are_equal_by_value() -> None:
    first, same, other = AccessToken("abc"), AccessToken("abc"), AccessToken("abd")

    assert first == same
    assert first != other
    assert first != "abc"
    assert len({first, same, other}) == 2


def test_the_fingerprint_tells_tokens_apart_without_telling_them() -> None:
    token = AccessToken(VALUE)

    assert token.fingerprint == AccessToken(VALUE).fingerprint
    assert token.fingerprint != AccessToken("other").fingerprint
    assert len(token.fingerprint) == 12
    assert token.fingerprint not in VALUE
