import copy
import json
from datetime import date
from hashlib import md5
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay.fields import BY_NAME, HASHED, KNOWN, PERSONAL_IN_EVENT, PLAIN, squeezed
from capi_relay.hashing import SHA256_OF_NOTHING, is_sha256, sha256_hex
from capi_relay.personal import _MAX_SHARED_CHARACTERS, _SHARED, _of_shared_text, _of_text, protect

JOHN = sha256_hex("john@example.com")
JANE = sha256_hex("jane@example.com")
PHONE = sha256_hex("16505551212")
CANARY = "canary"

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.binary(),
    st.dates(),
    st.emails(),
    st.sampled_from(
        [JOHN, JOHN.upper(), JOHN + ".AQ", SHA256_OF_NOTHING, "United States", "+1 650 555 1212", "2/16/1997"]
    ),
)
VALUES = st.recursive(ODD, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner))
NAMES = st.sampled_from(sorted(KNOWN | PERSONAL_IN_EVENT | {"firstName", "E-Mail"})) | st.text() | st.integers()
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event_name": st.text(),
        "event_source_url": st.text(alphabet="ab@.?&=#%40/") | ODD,
        "user_data": st.dictionaries(NAMES, VALUES) | ODD,
        "custom_data": st.dictionaries(NAMES, VALUES) | ODD,
        "email": VALUES,
    },
)


def user_data(given_data: Any, default_country: str | None = None) -> tuple[dict[str, Any], tuple[str, ...]]:  # noqa: ANN401 - tests give odd things
    event, warnings = protect({"user_data": given_data}, default_country)
    return event["user_data"], warnings


@given(event=EVENTS, country=st.sampled_from([None, "us", "GB", "dk", "zz"]))
def test_protecting_twice_is_protecting_once(event: dict[str, Any], country: str | None) -> None:
    once, _ = protect(event, country)

    assert repr(protect(once, country)[0]) == repr(once)  # repr: NaN in custom_data is not equal to itself


@given(event=EVENTS)
def test_hashed_fields_hold_digests_only_and_other_fields_are_metas(event: dict[str, Any]) -> None:
    protected, _ = protect(event)
    data = protected.get("user_data", {})

    assert data.keys() <= KNOWN
    for key in data.keys() & HASHED:
        digests = data[key] if isinstance(data[key], list) else [data[key]]
        assert digests
        assert all(is_sha256(digest) for digest in digests)


@given(event=EVENTS)
def test_the_event_given_is_not_changed(event: dict[str, Any]) -> None:
    before = copy.deepcopy(event)

    protect(event)

    assert repr(event) == repr(before)


WRAPPINGS = [
    lambda text: text,
    lambda text: [text, text],
    lambda text: (text, 1),
    lambda text: {text: text},
    lambda text: [[text]],
    lambda text: f"{text}@example.com",
    lambda text: f" {text}\ud800",
    lambda text: f"{text}@@example.com",
    lambda text: text.encode(),
]


@pytest.mark.parametrize("wrap", WRAPPINGS, ids=range(len(WRAPPINGS)))
@pytest.mark.parametrize("key", sorted(HASHED | PERSONAL_IN_EVENT | {"firstName", "E-Mail", "nick name"}))
def test_no_raw_value_is_left_in_user_data_nor_in_a_warning(key: str, wrap: Any) -> None:  # noqa: ANN401 - a lambda
    if key not in HASHED and key in {"ip", "ipaddress", "clientip", "useragent", "clientua", "browserid"}:
        return  # names of plain fields, which Meta wants raw
    protected, warnings = protect({"user_data": {key: wrap(CANARY)}})

    assert CANARY not in repr(protected)
    assert CANARY not in repr(warnings)


def test_one_value_in_is_one_digest_out_and_a_list_is_a_list() -> None:
    data, warnings = user_data({"em": " John@Example.com", "ph": ["+1 650 555 1212"], "external_id": ("a", "b")})

    assert data == {"em": JOHN, "ph": [PHONE], "external_id": [sha256_hex("a"), sha256_hex("b")]}
    assert warnings == ()


def test_values_that_become_equal_are_kept_once_in_their_order() -> None:
    data, _ = user_data({"em": ["jane@example.com", "john@example.com", JANE.upper(), "JANE@example.com "]})

    assert data == {"em": [JANE, JOHN]}


def test_a_digest_passes_with_the_builders_appendix_and_is_never_hashed_again() -> None:
    data, warnings = user_data({"em": f" {JOHN.upper()}\n", "ph": [PHONE + ".AQQCAQMC"]})

    assert data == {"em": JOHN, "ph": [PHONE + ".AQQCAQMC"]}
    assert warnings == ()


def test_an_md5_and_the_digest_of_nothing_are_left_out_with_the_reason() -> None:
    digest = md5(b"john@example.com", usedforsecurity=False).hexdigest()
    data, warnings = user_data({"em": [digest, JOHN], "ph": SHA256_OF_NOTHING.upper()})

    assert data == {"em": [JOHN]}
    assert warnings == (
        "user_data.em[0]: left out: it looks like an MD5, which Meta cannot match: give the value or its SHA-256",
        "user_data.ph: left out: it is the SHA-256 of an empty text: leave the field out when there is no value",
    )


def test_an_own_id_of_32_hex_digits_is_an_id_and_no_md5() -> None:
    own_id = "0bc83cb571cd1c50ba6f3e8a78ef1346"

    assert user_data({"external_id": own_id}) == ({"external_id": sha256_hex(own_id)}, ())


def test_what_has_no_normal_form_is_left_out_and_the_warning_says_what_to_do() -> None:
    data, warnings = user_data({"ph": ["650 555 1212", "+1 650 555 1212"], "ge": "unknown", "country": 49, "fn": "…"})

    assert data == {"ph": [PHONE]}
    assert warnings == (
        "user_data.ph[0]: left out: it has no country code or is no phone number: write it as +<code><number>",
        "user_data.ge: left out: it is no word for female or male: give f or m, or leave the field out",
        "user_data.country: left out: it is no country of ISO 3166-1: give the two-letter code, as in us or gb",
        "user_data.fn: left out: it holds no letter or digit: give the first name alone",
    )


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b", [], (), [None, ""]], ids=repr)
@pytest.mark.parametrize("key", ["em", "email", "client_user_agent"])
def test_a_field_without_a_value_is_removed_without_a_warning(key: str, nothing: object) -> None:
    if key == "client_user_agent" and nothing in ("\u200b", [None, ""]):
        return  # what is invisible stays in a plain field, and a list is no value of one
    data, warnings = user_data({key: nothing})

    assert data == {}
    assert all("left out" not in warning for warning in warnings)


def test_numbers_and_dates_are_values_too() -> None:
    data, warnings = user_data(
        {"ph": 16505551212, "zp": 94035, "external_id": [7, 8.0], "db": date(1997, 2, 16), "doby": 1997}
    )

    assert warnings == ()
    assert data == {
        "ph": PHONE,
        "zp": sha256_hex("94035"),
        "external_id": [sha256_hex("7"), sha256_hex("8")],
        "db": sha256_hex("19970216"),
        "doby": sha256_hex("1997"),
    }


@pytest.mark.parametrize("odd", [True, float("nan"), b"a@b.co", {"a": 1}, {1}, object, 10**5000, [["a"]]], ids=type)
def test_a_value_of_an_odd_type_is_left_out_with_a_warning(odd: object) -> None:
    data, warnings = user_data({"external_id": odd})

    assert data == {}
    assert len(warnings) == 1
    assert "left out: it is neither text nor a number" in warnings[0]


def test_half_a_character_is_left_out_with_a_warning() -> None:
    data, warnings = user_data({"em": "\ud800@example.com"})

    assert data == {}
    assert "lone surrogate" in warnings[0]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("email", "em"),
        ("emails", "em"),
        ("firstName", "fn"),
        ("last_names", "ln"),
        ("Phone-Number", "ph"),
        ("clientIpAddress", "client_ip_address"),
        ("EXTERNAL_ID", "external_id"),
        ("click_id", "fbc"),
        ("browser_id", "fbp"),
        ("user_agent", "client_user_agent"),
    ],
)
def test_a_long_name_is_taken_as_metas_key_with_a_warning(name: str, key: str) -> None:
    value = {"ph": "+1 650 555 1212", "em": "a@b.co", "fbc": "fb.1.1554763741205.AbCdEf"}.get(key, "x1")
    data, warnings = user_data({name: value})

    assert data == user_data({key: value})[0]
    assert data.keys() == {key}
    assert len(warnings) == 1
    assert f"taken as {key}" in warnings[0]


def test_every_key_of_meta_stands_for_itself() -> None:
    assert {key: BY_NAME[squeezed(key)] for key in KNOWN} == {key: key for key in KNOWN}


def test_metas_key_wins_over_a_long_name_unless_it_is_empty() -> None:
    both, warnings = user_data({"email": "jane@example.com", "em": "john@example.com"})
    empty, _ = user_data({"em": None, "email": "jane@example.com"})

    assert both == {"em": JOHN}
    assert warnings == ("user_data.email: left out: em, Meta's name for it, is given too",)
    assert empty == {"em": JANE}


def test_an_unknown_key_of_user_data_is_left_out_and_shown_only_if_it_is_a_name() -> None:
    data, warnings = user_data({"favourite": "x", "john@example.com": "y", 7: "z", "em": "john@example.com"})

    assert data == {"em": JOHN}
    assert [warning.partition(":")[0] for warning in warnings] == ["user_data.favourite", *["user_data.(a key)"] * 2]


@pytest.mark.parametrize("odd", [None, "john@example.com", 7, [{"em": "john@example.com"}]], ids=type)
def test_user_data_that_is_no_object_is_left_out(odd: object) -> None:
    event, warnings = protect({"event_name": "Lead", "user_data": odd})

    assert event == {"event_name": "Lead"}
    assert warnings == ("user_data: left out: it is no object: give Meta's keys with their values",)


def test_plain_fields_pass_as_they_are_but_for_space_around_them() -> None:
    plain = dict.fromkeys(PLAIN - {"fbc"}, "AbC dEf") | {"fbc": "fb.1.1554763741205.AbC-dEf.AQQCAQMC", "lead_id": 123}

    assert user_data(plain) == (plain, ())
    assert user_data({"client_user_agent": " Mozilla/5.0\n"}) == ({"client_user_agent": "Mozilla/5.0"}, ())
    assert user_data({"client_ip_address": ip_address("2001:db8::1")}) == ({"client_ip_address": "2001:db8::1"}, ())


@pytest.mark.parametrize("odd", [["a"], {"em": "john@example.com"}, b"a", True], ids=type)
def test_a_plain_field_takes_text_or_a_number_only(odd: object) -> None:
    data, warnings = user_data({"fbp": odd, "client_ip_address": odd})

    assert data == {}
    assert len(warnings) == 2


@pytest.mark.parametrize("text", ["sub:ada@example.com", "ada%40example.com", "Ada <ada@example.com>", "a@b.c"])
def test_a_plain_field_that_holds_an_address_is_left_out(text: str) -> None:
    for key in PLAIN - {"client_user_agent"}:
        event, warnings = protect({"user_data": {key: text}})
        assert event["user_data"] == {}
        assert (len(warnings), "ada" in warnings[0]) == (1, False)


def test_a_robots_address_in_its_user_agent_stays() -> None:
    agent = "Bot/1.0 (+crawler@example.com)"
    assert protect({"user_data": {"client_user_agent": agent}}) == ({"user_data": {"client_user_agent": agent}}, ())


def test_a_malformed_click_id_is_left_out_because_it_can_cost_the_whole_request() -> None:
    data, warnings = user_data({"fbc": "AbCdEf", "em": "john@example.com"})

    assert data == {"em": JOHN}
    assert warnings[0].startswith("user_data.fbc: left out: ")


@pytest.mark.parametrize("phone", ["020 7946 0018", "0532 123 45 67", ["02 9876 5432"]])
def test_a_national_phone_without_a_country_is_left_out_with_a_warning(phone: object) -> None:
    data, warnings = user_data({"ph": phone})

    assert "ph" not in data
    assert [warning.partition("left out: ")[2] for warning in warnings] == [
        "it has no country code or is no phone number: write it as +<code><number>"
    ]


@pytest.mark.parametrize("country", ["us", "US", ["United States", "de"], "USA"], ids=repr)
def test_the_events_own_country_completes_its_phones(country: object) -> None:
    data, warnings = user_data({"ph": "(650) 555-1212", "country": country}, "gb")

    assert data["ph"] == PHONE
    assert warnings == ()


@pytest.mark.parametrize("country", [None, sha256_hex("us"), "Atlantis", 7], ids=repr)
def test_the_default_country_completes_phones_where_the_events_own_cannot_be_read(country: object) -> None:
    data, _ = user_data({"ph": "(650) 555-1212", "country": country}, "US")

    assert data["ph"] == PHONE


def test_the_default_country_is_not_added_to_the_event() -> None:
    assert user_data({"ph": "(650) 555-1212"}, "us") == ({"ph": PHONE}, ())


def test_a_ready_event_comes_back_equal_without_warnings() -> None:
    event = {
        "event_name": "Purchase",
        "user_data": {"em": [JOHN], "client_user_agent": "Mozilla/5.0", "fbp": "fb.1.1596403881668.1116446470"},
        "custom_data": {"value": 12.5, "currency": "EUR", "contents": [{"id": "1", "quantity": 2}]},
    }

    assert protect(event) == (event, ())
    assert json.dumps(protect(event)[0]) == json.dumps(event)


def test_read_only_mappings_are_taken_too() -> None:
    event = MappingProxyType({"user_data": MappingProxyType({"em": "john@example.com"})})

    assert protect(event)[0] == {"user_data": {"em": JOHN}}


@given(key=st.sampled_from(sorted(_SHARED)), text=st.text(max_size=60) | st.sampled_from(["US", " Usa ", "NY", JOHN]))
def test_what_is_remembered_is_what_would_be_made_again(key: str, text: str) -> None:
    for _ in range(2):
        made, warnings = user_data({key: [text]})
        digest, why = _of_text(key, text, None)

        assert made.get(key) == ([digest] if digest else None)
        assert bool(warnings) == bool(why)


class Unhashable(str):
    __slots__ = ()
    __hash__ = None  # type: ignore[assignment] # as where a class says only what it is equal to


def test_text_of_an_odd_class_is_hashed_as_text() -> None:
    assert user_data({"ct": Unhashable("Rome")}) == user_data({"ct": "Rome"})


def test_only_short_values_that_many_people_share_are_remembered() -> None:
    _of_shared_text.cache_clear()
    alone = dict.fromkeys(HASHED - _SHARED, "1")
    user_data(alone | {"ct": "x" * (_MAX_SHARED_CHARACTERS + 1), "zp": JOHN})

    assert _of_shared_text.cache_info().currsize == 0
    assert not _SHARED & {"em", "ph", "ln", "db", "external_id"}
