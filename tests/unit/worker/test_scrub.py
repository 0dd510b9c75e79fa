import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.scrub import MASK, escape, redact, scrub, scrub_fields

HASH = sha256(b"jane@example.com").hexdigest()


@pytest.mark.parametrize(
    "secret",
    [
        "EAABwzLixnjYBO0ZC|x_y-z",
        "1234567890|abcDEF-123",
        "jane.doe+shop@example.co.uk",
        "jane%40example.com",
        HASH,
        HASH.upper(),
        "+1 (650) 555-1212",
        "%2B16505551212",
        "(650) 555-1212",
        "650-555-1212",
        "07911123456",
        "447911123456",
        "fb.1.1596403881668.1116446470",
        "93.184.216.34",
        "2606:2800:220:1:248:1893:25c8:1946",
    ],
)
@pytest.mark.parametrize("text", ["{}", "bad value {}, left out", "k={}&x=1", '["{}"]', "({})"])
def test_what_looks_like_a_secret_or_a_person_is_masked_anywhere(text: str, secret: str) -> None:
    redacted = redact(text.format(secret))

    assert secret not in redacted
    assert MASK in redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/v23.0/1/events?access_token=a%7Cb&x=1", "/v23.0/1/events?access_token=***&x=1"),
        ("/tr?em=abc&ph=123&ev=Lead", "/tr?em=***&ph=***&ev=Lead"),
        ("Authorization: Bearer abc.d-e", "Authorization: Bearer ***"),
        ("redis://:s3cret@store:6379/0", "redis://***@store:6379/0"),
        ("redis://user:p@ss@store", "redis://***@store"),
        ("unix:///s?db=1&password=s3cret", "unix:///s?db=***&password=***"),
        ("{'em': ['a', 'b'], 'ln': \"O'Neil\"}", "{'em': ***, 'ln': ***}"),
        ('{"user_data": {"fn": "Ann"}, "value": 5}', '{"user_data": ***, "value": 5}'),
        (r"{\"fn\": \"Ann\", \"value\": 5}", r"{\"fn\": ***, \"value\": 5}"),
        ('{"access_token": "cut off', '{"access_token": ***'),
    ],
)
def test_a_secret_is_known_by_the_name_before_it(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T11:44:00.123456Z",
        "entry 1732276800000-0",
        "event_time 1732276800",
        "dataset 123456789012 is paused",
        "dataset 1234567890123456 is paused",
        "lane 123456789012/late",
        "event id 0f8fad5bd9cb469fa16570867728950e",
        "0f8fad5b-d9cb-469f-a165-708677289501",
        "A1bC2dE3fG4hI5jK6lM7nO8",
        "127.0.0.1:6379, ::1, 10.1.2.3",
        "CAPI_ACCESS_TOKEN: needs CAPI_DATASET_ID",
        "dataset 1 (123): token: expected an access token",
        "redis db=0",
        "took 12:30:45",
        "capi-relay@0.1.0",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert redact(text) == text


def test_a_text_that_no_log_should_hold_is_cut() -> None:
    redacted = redact("word " * 10_000)

    assert len(redacted) < 10_100
    assert redacted.endswith("... (50000 characters)")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part", ["a", "1", "a@", "http://", "+1 ", "1.1.", "::", 'em": "', "EAA|", '"', "bearer ", "?em="]
)
def test_a_long_text_takes_linear_time(part: str) -> None:
    assert redact(part * (500_000 // len(part)))


def test_control_characters_are_spelled_out() -> None:
    assert escape("a\r\n\x1b[31mb\u2028c\u202ed\ud800\x00") == r"a\r\n\x1b[31mb\u2028c\u202ed\ud800\x00"


def test_lines_may_stay_lines() -> None:
    assert escape("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


def test_values_become_plain_types() -> None:
    now = datetime.now(UTC)
    value = {"n": 1, "t": (1, b"abc"), "o": ValueError("jane@example.com"), "at": now, "none": None}

    assert scrub(value) == {"n": 1, "t": [1, "<3 bytes>"], "o": f"ValueError('{MASK}')", "at": now, "none": None}


def test_fields_are_masked_or_left_out_by_their_name() -> None:
    fields = {
        "em": ["x"],
        "Access_Token": 5,
        "vars": {"x": 1},
        "data": {"http.query": "x", "user_data": {}, "url": "u"},
    }

    assert scrub_fields(fields) == {"em": MASK, "Access_Token": MASK, "data": {"user_data": MASK, "url": "u"}}


def test_a_dataset_id_stays_even_if_it_looks_like_a_phone_number() -> None:
    assert scrub_fields({"dataset_id": "123456789012"}) == {"dataset_id": "123456789012"}
    assert scrub_fields({"dataset_id": "jane@example.com"}) == {"dataset_id": MASK}


def test_a_secret_in_a_key_is_masked() -> None:
    assert scrub_fields({"jane@example.com": 1}) == {MASK: 1}


def test_what_nests_too_deep_is_left_out() -> None:
    value: object = "jane@example.com"
    for _ in range(10_000):
        value = [value]

    assert "jane" not in repr(scrub(value))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=PLAIN)
def test_whatever_goes_in_what_comes_out_is_json_without_control_characters(value: object) -> None:
    encoded = json.dumps(scrub(value), ensure_ascii=False)

    assert encoded.encode()
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in encoded)


@given(text=st.text())
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)

    assert redact(once) == once
