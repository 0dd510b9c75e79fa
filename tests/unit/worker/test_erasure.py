"""Which events are a person's: normalised and hashed as the producer does, key by key."""

import json
from hashlib import sha256

import pytest

from capi_relay.datasets import DatasetDefaults
from capi_relay.prepare import prepare
from worker.erasure import NoIdentifierError, Person, person_of, person_of_digest
from worker.store import Entry

META = b'{"v":1,"t":1700000000000}'
ADA = sha256(b"ada@example.com").hexdigest()


def stored(user_data: dict[str, object], *, variants: bool = False) -> Entry:
    """Return an event as our producer stores it."""
    event = {"event_name": "Lead", "event_id": "1", "user_data": user_data}
    ready = prepare(event, DatasetDefaults("1"), now=1_700_000_000, match_variants=variants)
    return Entry("1-1", ready.encoded, META)


def foreign(event: object, meta: bytes = b"") -> Entry:
    """Return what another hand put into the stream."""
    return Entry("1-1", event if isinstance(event, bytes) else json.dumps(event).encode(), meta)


@pytest.mark.parametrize("written", ["ada@example.com", " Ada@Example.COM ", ADA, ADA.upper(), f"{ADA}.AB"])
def test_an_address_is_found_however_the_app_or_the_operator_writes_it(written: str) -> None:
    entry = stored({"em": written})

    assert person_of("em", "ADA@example.com ").is_in(entry)
    assert person_of("em", ADA.upper()).is_in(entry)


def test_a_list_of_digests_is_searched() -> None:
    entry = stored({"em": ["bob@example.com", "ada@example.com"]})

    assert person_of("em", "ada@example.com").is_in(entry)
    assert not person_of("em", "eve@example.com").is_in(entry)


def test_a_phone_number_is_found_in_both_readings() -> None:
    plain, both = stored({"ph": "+44 (0)20 7946 0123"}), stored({"ph": "+44 (0)20 7946 0123"}, variants=True)
    person = person_of("ph", "+44 020 7946 0123")

    assert person.is_in(plain)
    assert person.is_in(both)
    assert person_of("ph", "020 7946 0123", country="GB").is_in(both)


def test_an_own_id_is_not_taken_for_a_postal_code() -> None:
    assert person_of("external_id", "12345").is_in(stored({"external_id": 12345}))
    assert not person_of("external_id", "12345").is_in(stored({"zp": "12345", "em": "ada@example.com"}))


def test_a_digest_is_found_under_each_key_that_names_a_person_and_no_other() -> None:
    person = person_of_digest(sha256(b"12345").hexdigest().upper())

    assert person.is_in(stored({"external_id": "12345"}))
    assert not person.is_in(stored({"zp": "12345"}))


def test_any_of_several_identifiers_is_enough() -> None:
    person = person_of("em", "ada@example.com") | person_of("external_id", "7")

    assert person.is_in(stored({"em": "ada@example.com"}))
    assert person.is_in(stored({"external_id": "7"}))
    assert not person.is_in(stored({"em": "bob@example.com", "external_id": "8"}))


@pytest.mark.parametrize(
    "event",
    [
        {"user_data": {"em": " Ada@example.com"}},
        {"user_data": {"email": "ada@example.com"}},
        {"user_data": {"em": [ADA.upper()]}},
    ],
)
@pytest.mark.parametrize("meta", [b"", b"raw", META])
def test_what_another_hand_wrote_raw_or_in_capitals_is_found(event: object, meta: bytes) -> None:
    assert person_of("em", "ada@example.com").is_in(foreign(event, meta))


def test_an_escaped_digest_is_found() -> None:
    escaped = ADA.replace("a", "\\u0061")

    assert person_of("em", "ada@example.com").is_in(foreign(b'{"user_data":{"em":"%s"}}' % escaped.encode(), META))


@pytest.mark.parametrize("text", [ADA.encode(), b"Ada@example.com"])
def test_bytes_that_are_no_event_are_searched_as_they_are(text: bytes) -> None:
    assert person_of("em", "ada@example.com").is_in(foreign(b"\xff{" + text))
    assert not person_of("em", "bob@example.com").is_in(foreign(b"\xff{" + text))


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("em", "ada", "does not look like one e-mail address"),
        ("em", " ", "it is empty"),
        ("ph", "0123", "no country code"),
        ("ph", "020 7946 0123", "no country code"),
        ("external_id", "", "it is empty"),
        ("em", sha256(b"").hexdigest(), "SHA-256 of an empty text"),
    ],
)
def test_a_value_that_names_nobody_is_refused_without_being_told(key: str, value: str, why: str) -> None:
    with pytest.raises(NoIdentifierError, match=why) as caught:
        person_of(key, value)

    assert not value.strip() or value not in str(caught.value)


def test_what_is_no_digest_is_refused() -> None:
    with pytest.raises(NoIdentifierError, match="no SHA-256"):
        person_of_digest("ada@example.com")


def test_a_person_shows_no_value_that_is_in_clear() -> None:
    assert "ada" not in repr(person_of("em", "ada@example.com"))
    assert isinstance(person_of("em", "ada@example.com"), Person)
