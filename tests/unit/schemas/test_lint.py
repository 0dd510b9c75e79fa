"""The linter: each code has its example and a near miss, and nothing it is given makes it fall or speak of values."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Problem, problems_of
from schemas.codes import MESSAGES
from schemas.lint import lint
from schemas.lint_codes import LINT_MESSAGES
from schemas.lint_tables import CUSTOM_DATA_KEYS, STANDARD_EVENTS, meant_key, standard_event
from tests.fakes.events import digest, lead, page_view, purchase

NOW = 1_700_086_400.0
MOMENT = 1_700_000_000
ADDRESS = "8.8.8.8"
URL = "https://shop.example/thanks"
FBC = "fb.1.1699990000123.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYX"
PERSON = {"em": [digest("ada@example.com")], "client_ip_address": ADDRESS, "client_user_agent": "Mozilla/5.0"}
SOLD = {"value": 12.5, "currency": "EUR"}


def bought(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a Purchase without a flaw, some keys changed; a key changed to ``...`` is left out."""
    event = purchase(event_time=MOMENT, event_source_url=URL, user_data=PERSON, custom_data=SOLD) | changes
    return {key: value for key, value in event.items() if value is not ...}


def person(**user_data: object) -> dict[str, Any]:
    return bought(user_data=PERSON | user_data)


def sold(**custom_data: object) -> dict[str, Any]:
    return bought(custom_data=SOLD | custom_data)


def stage(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return lead(event_time=MOMENT, **changes)


def codes(event: object, **options: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - of several types
    return [(problem.path, problem.code) for problem in lint(event, now=NOW, **options)]


EXAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "missing_event_id": (bought(event_id=...), "event_id"),
    "event_name_case": (bought(event_name="add_to_cart"), "event_name"),
    "app_event_name": (bought(event_name="fb_mobile_purchase"), "event_name"),
    "too_old": (bought(event_time=MOMENT - 7 * 86_400), "event_time"),
    "in_the_future": (bought(event_time=int(NOW) + 61), "event_time"),
    "website_without_user_agent": (person(client_user_agent=""), "user_data.client_user_agent"),
    "test_event_code": (sold(test_event_code="TEST1"), "custom_data.test_event_code"),
    "hash_of_nothing": (person(ph=[digest("")]), "user_data.ph[0]"),
    "hash_of_placeholder": (person(ph=digest("undefined")), "user_data.ph"),
    "hash_of_unnormalised": (person(country=digest("US")), "user_data.country"),
    "hash_of_hash": (person(ge=digest(digest("f"))), "user_data.ge"),
    "md5": (person(em="0bc83cb571cd1c50ba6f3e8a78ef1346"), "user_data.em"),
    "placeholder_id": (person(external_id=["7", "NULL"]), "user_data.external_id[1]"),
    "lead_id_as_text": (person(lead_id="1234567890123456"), "user_data.lead_id"),
    "not_an_ip": (person(client_ip_address="8.8.8.8:443"), "user_data.client_ip_address"),
    "private_ip": (person(client_ip_address="10.1.2.3"), "user_data.client_ip_address"),
    "malformed_fbp": (person(fbp="1116446470"), "user_data.fbp"),
    "fbc_made_at_send_time": (person(fbc=f"fb.1.{MOMENT}123.IwAR2F4"), "user_data.fbc"),
    "fbc_time_in_seconds": (person(fbc="fb.1.1699990000.IwAR2F4"), "user_data.fbc"),
    "fbc_lower_case": (person(fbc=FBC.lower()), "user_data.fbc"),
    "currency_without_value": (
        bought(event_name="Lead", custom_data={"currency": "EUR"}),
        "custom_data.currency",
    ),
    "purchase_value_zero": (sold(value="0.00"), "custom_data.value"),
    "value_outside_custom_data": (
        bought(event_name="Lead", custom_data={"contents": [{"id": "a", "value": 3}]}),
        "custom_data.contents[0].value",
    ),
    "misspelt_key": (sold(contentIds=["a"]), "custom_data.contentIds"),
    "lead_without_crm_source": (
        stage(custom_data={"lead_event_source": "Example CRM"}),
        "custom_data.event_source",
    ),
}
BY_OPTION_OR_BATCH = {"url_off_domains", "event_id_reused", "ip_of_many_people"}

FLAWLESS = [
    bought(),
    page_view(event_time=MOMENT, user_data=PERSON),
    stage(),
    bought(event_name="TicketScanned", custom_data={"seats": 2, "row": "K", "county": "Kent"}),
    sold(contents=[{"id": "a", "quantity": 1, "item_price": 12.5}], content_ids=["a"], order_id="1"),
    person(fbc=FBC, fbp="fb.1.1699990000123.1116446470.AQICAQMC"),
    person(fbc=f"fb.1.{MOMENT - 3600}123.IwAR2F4"),
    person(country=digest("us"), ge=digest("f"), st=digest("ca"), external_id=digest("7"), fn=digest("null")),
    person(client_ip_address="2606:4700:4700::1111"),
    person(external_id="customer-7"),
    person(lead_id=1234567890123456),
    bought(action_source="physical_store", event_time=MOMENT - 30 * 86_400),
]


def test_every_code_has_its_example() -> None:
    assert EXAMPLES.keys() | BY_OPTION_OR_BATCH == LINT_MESSAGES.keys()


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_the_example_has_this_one_finding(code: str) -> None:
    event, path = EXAMPLES[code]

    assert codes(event) == [(path, code)]


@pytest.mark.parametrize("code", sorted(EXAMPLES.keys() - {"md5", "value_outside_custom_data"}))
def test_what_the_linter_finds_is_valid(code: str) -> None:
    event, _ = EXAMPLES[code]

    assert problems_of(event) == []


@pytest.mark.parametrize("event", FLAWLESS, ids=range(len(FLAWLESS)))
def test_an_event_without_a_flaw_has_no_finding(event: dict[str, Any]) -> None:
    assert codes(event) == []


def test_no_lint_code_is_a_problem_code() -> None:
    assert not LINT_MESSAGES.keys() & MESSAGES.keys()


def test_a_test_event_code_of_the_dataset_is_told_with_every_event() -> None:
    assert codes(bought(), test_mode=True) == [("test_event_code", "test_event_code")]


@pytest.mark.parametrize("url", ["https://shop.example/a", "https://www.shop.example:8443/", "HTTPS://SHOP.EXAMPLE"])
def test_a_page_of_the_datasets_domains_or_below_them_is_fine(url: str) -> None:
    assert codes(bought(event_source_url=url), domains=["other.example", "Shop.Example"]) == []


@pytest.mark.parametrize("url", ["https://myshop.example/", "https://shop.example.org/?u=shop.example", "http://[bad/"])
def test_a_page_elsewhere_is_off_the_domains(url: str) -> None:
    found = codes(bought(event_source_url=url), domains=["shop.example"])

    assert found == ([] if url == "http://[bad/" else [("event_source_url", "url_off_domains")])


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "192.168.0.7", "172.16.0.1", "169.254.1.1", "100.64.0.1", "203.0.113.7", "224.0.0.1"),
        *("::1", "fe80::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1"),
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_found(address: str) -> None:
    assert codes(person(client_ip_address=address)) == [("user_data.client_ip_address", "private_ip")]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("country", "USA"),
        ("country", "Germany"),
        ("country", "us "),
        ("ge", "Female"),
        ("st", "california"),
        ("st", "NY"),
    ],
)
def test_the_digest_of_a_usual_value_that_was_not_normalised_is_known(key: str, text: str) -> None:
    assert codes(person(**{key: digest(text)})) == [(f"user_data.{key}", "hash_of_unnormalised")]


def test_a_digest_of_what_stands_in_the_event_in_the_clear_is_compared_with_it() -> None:
    event = person(external_id="Ada@Example.com", em=[digest("Ada@Example.com")])

    assert codes(event) == [("user_data.em[0]", "hash_of_unnormalised")]


def test_a_digest_of_the_normal_form_of_what_stands_in_the_clear_is_fine() -> None:
    event = person(external_id="ada@example.com", em=[digest("ada@example.com")])

    assert codes(event) == []


def test_a_city_in_custom_data_betrays_how_it_was_hashed() -> None:
    event = bought(user_data=PERSON | {"ct": digest("New York")}, custom_data=SOLD | {"city": "New York"})

    assert codes(event) == [("user_data.ct", "hash_of_unnormalised")]


def test_a_parameter_builders_digest_is_judged_by_its_hex_part() -> None:
    assert codes(person(ph=f"{digest('')}.AQQCAQMC")) == [("user_data.ph", "hash_of_nothing")]


def test_a_click_on_the_landing_page_is_no_click_made_at_send_time() -> None:
    fresh = PERSON | {"fbc": f"fb.1.{MOMENT - 1}123.IwAR2F4"}

    assert codes(bought(user_data=fresh, event_source_url=f"{URL}?fbclid=IwAR2F4")) == []
    assert codes(bought(user_data=fresh, event_name="PageView")) == []


def test_a_click_after_its_conversion_was_made_at_send_time_whatever_the_page() -> None:
    late = PERSON | {"fbc": f"fb.1.{MOMENT + 60}123.IwAR2F4"}
    event = bought(user_data=late, event_source_url=f"{URL}?fbclid=IwAR2F4")

    assert codes(event) == [("user_data.fbc", "fbc_made_at_send_time")]


def test_a_crm_names_its_stages_as_it_likes() -> None:
    assert codes(stage(event_name="lead")) == []


def test_a_lead_without_any_word_of_its_crm_lacks_both_keys() -> None:
    assert codes(stage(custom_data={})) == [
        ("custom_data.event_source", "lead_without_crm_source"),
        ("custom_data.lead_event_source", "lead_without_crm_source"),
    ]


@pytest.mark.parametrize("part", ["app_data", "original_event_data", "attribution_data"])
def test_money_in_an_open_object_is_accepted_and_useless(part: str) -> None:
    event = bought(event_name="Lead", custom_data={}, **{part: {"value": 3, "currency": "EUR"}})

    assert codes(event) == [
        (f"{part}.currency", "value_outside_custom_data"),
        (f"{part}.value", "value_outside_custom_data"),
    ]


@pytest.mark.parametrize(
    ("written", "known"), [("purchase", "Purchase"), ("ADD-TO-CART", "AddToCart"), ("View Content", "ViewContent")]
)
def test_a_standard_event_is_known_in_any_spelling(written: str, known: str) -> None:
    (problem,) = lint(bought(event_name=written), now=NOW)

    assert known in problem.message


@pytest.mark.parametrize("name", sorted(STANDARD_EVENTS))
def test_a_standard_event_is_no_misspelling_of_another(name: str) -> None:
    assert standard_event(name) is None


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("content_id", "content_ids"),
        ("currancy", "currency"),
        ("vlaue", "value"),
        ("Order-ID", "order_id"),
        ("preferred_prize_rage", "preferred_price_range"),
        ("contnets", "contents"),
    ],
)
def test_a_slip_in_a_key_is_known(written: str, known: str) -> None:
    assert meant_key(written) == known


@pytest.mark.parametrize("key", [*sorted(CUSTOM_DATA_KEYS), "seats", "row", "gift", "label", "x" * 500, "", "coupon"])
def test_metas_keys_and_words_of_ones_own_are_no_slips(key: str) -> None:
    assert meant_key(key) is None


def test_a_slip_beside_the_right_key_is_no_finding() -> None:
    assert codes(sold(Value=3)) == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["website", "crm", "Purchase"])
)
KEYS = st.sampled_from(
    ["user_data", "custom_data", "contents", "value", "currency", "em", "external_id", "lead_id"]
) | (
    st.sampled_from(
        ["fbc", "fbp", "event_name", "event_time", "event_id", "action_source", "client_ip_address", "city"]
    )
    | st.text(max_size=70)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)


@given(event=JSON | st.dictionaries(KEYS, JSON), domains=st.lists(st.just("shop.example"), max_size=1))
def test_any_json_value_is_linted(event: object, domains: list[str]) -> None:
    problems = lint(event, now=NOW, domains=domains, test_mode=True)

    assert all(isinstance(problem, Problem) and problem.code in LINT_MESSAGES for problem in problems)


@given(changes=st.dictionaries(KEYS, JSON, max_size=4), inner=st.dictionaries(KEYS, JSON, max_size=4))
def test_a_damaged_event_is_linted_without_a_word_of_its_values(changes: dict[str, Any], inner: dict[str, Any]) -> None:
    event = bought(user_data=PERSON | inner, custom_data=SOLD | inner) | changes
    problems = lint(event, now=NOW, domains=["shop.example"])

    assert all(re.fullmatch(r"[A-Za-z0-9_\[\].]*", problem.path) for problem in problems)
    sentences = {LINT_MESSAGES[problem.code].partition("{")[0] for problem in problems}
    assert all(any(problem.message.startswith(each) for each in sentences) for problem in problems)


@given(st.text(min_size=1))
def test_a_message_never_holds_a_value(text: str) -> None:
    canary = f"canary {text}"
    event = bought(
        event_name=canary, event_source_url=f"https://{canary}/", user_data={"external_id": canary, "fbp": canary}
    )
    told = json.dumps([problem.message for problem in lint(event | {"custom_data": {canary: canary}}, now=NOW)])

    assert "canary" not in told
