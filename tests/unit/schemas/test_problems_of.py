"""problems_of: total, silent about values, and no friend of change."""

import copy
import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields

from schemas import EventSchema, Problem, problems_of
from schemas.codes import MESSAGES
from schemas.event import ACTION_SOURCES
from schemas.fields import ListOf, Object, Strict
from schemas.messaging import CHANNELS
from schemas.problems import MASKED_KEY, MAX_PATH_LENGTH
from tests.fakes.events import digest, purchase
from tests.unit.schemas.verdict import verdict


def all_fields(schema: Schema) -> Iterator[tuple[str, fields.Field[Any]]]:
    """Yield every field of a schema and of the schemas inside it."""
    for name, field in schema.fields.items():
        yield name, field
        inner = field.inner if isinstance(field, ListOf) else field
        if isinstance(inner, Object):
            yield from all_fields(inner.schema)


FIELDS = list(all_fields(EventSchema()))
CONSTANTS = sorted({"Purchase", "LDU", *ACTION_SOURCES, *CHANNELS})
KEYS = st.sampled_from(sorted({name for name, _ in FIELDS} | {"_schema"})) | st.text(max_size=80)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(CONSTANTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
SLOW_MACHINES = settings(deadline=None)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Return a good event in which anything at all stands in up to four places."""
    event = purchase(event_time=1_700_000_000)
    parts = [event, event["user_data"], event["custom_data"], event["custom_data"]["contents"][0]]
    for _ in range(draw(st.integers(1, 4))):
        draw(st.sampled_from(parts))[draw(KEYS)] = draw(JSON)
    return event


def tainted(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the same JSON with a mark, which no path and no message has, in every string but our constants."""
    if isinstance(value, dict):
        return {key: tainted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [tainted(inner) for inner in value]
    return f"~{value}" if isinstance(value, str) and value not in CONSTANTS else value


HASHES = st.text(max_size=20).map(digest)
AMOUNTS = st.floats(0, 1e9) | st.integers(0, 10**9) | st.decimals(0, 10**6, places=2).map(str)
USER_DATA = st.fixed_dictionaries(
    {"client_ip_address": st.ip_addresses().map(str)},
    optional={
        **{
            key: HASHES | st.lists(HASHES, min_size=1, max_size=3) for key in ("em", "ph", "fn", "ln", "db", "ge", "ct")
        },
        "external_id": st.text(min_size=1),
        "lead_id": st.integers(10**14, 10**17 - 1),
        "fbc": st.from_regex(r"\Afb\.[0-2]\.[0-9]{13}\.[A-Za-z0-9_-]{1,80}\Z"),
        "client_user_agent": st.text(),
    },
)
CONTENT = st.fixed_dictionaries(
    {"id": st.text(min_size=1) | st.integers()}, optional={"quantity": st.integers(0, 99), "item_price": AMOUNTS}
)
CUSTOM_DATA = st.fixed_dictionaries(
    {"value": AMOUNTS, "currency": st.from_regex(r"\A[A-Za-z]{3}\Z")},
    optional={
        "contents": st.lists(CONTENT, max_size=3),
        "content_ids": st.lists(st.text(min_size=1) | st.integers(), max_size=3),
        "venue": st.text() | st.booleans() | st.lists(st.text()),
    },
)
VALID = st.fixed_dictionaries(
    {
        "event_name": st.just("Purchase") | st.text(min_size=1, max_size=50),
        "event_time": st.integers(0, 2 * 10**9),
        "action_source": st.sampled_from(sorted(ACTION_SOURCES - {"app", "business_messaging"})),
        "event_source_url": st.just("https://shop.example.com/?q=ä"),
        "user_data": USER_DATA,
        "custom_data": CUSTOM_DATA,
    },
    optional={"event_id": st.text(), "opt_out": st.booleans(), "referrer_url": st.text()},
)


@SLOW_MACHINES
@given(JSON)
@example({"_schema": 1, "user_data": {"_schema": None}, "custom_data": {"_schema": None, "contents": [{"_schema": 2}]}})
@example([])
def test_any_json_value_gets_a_verdict(value: Any) -> None:  # noqa: ANN401 - any JSON
    problems = problems_of(value)

    assert problems, "no value without the base fields is valid"


@SLOW_MACHINES
@given(damaged())
def test_a_problem_has_a_message_of_the_table_and_a_short_harmless_path(event: dict[str, Any]) -> None:
    problems = problems_of(event)

    assert all(problem.message == MESSAGES[problem.code] for problem in problems)
    assert all(re.fullmatch(r"[A-Za-z0-9_\[\].]*", problem.path) for problem in problems)
    assert all(len(problem.path) <= MAX_PATH_LENGTH + len(MASKED_KEY) for problem in problems)


@SLOW_MACHINES
@given(damaged())
def test_a_problem_holds_no_value_of_the_event(event: dict[str, Any]) -> None:
    problems = problems_of(tainted(event))

    assert problems
    assert "~" not in repr(problems)


@SLOW_MACHINES
@given(damaged())
def test_problems_are_sorted_and_told_once(event: dict[str, Any]) -> None:
    problems = problems_of(event)

    assert problems == sorted(set(problems), key=lambda problem: (problem.path, problem.code))


@SLOW_MACHINES
@given(damaged())
def test_validation_leaves_the_event_as_it_was(event: dict[str, Any]) -> None:
    before = repr(copy.deepcopy(event))

    problems_of(event)

    assert repr(event) == before


@SLOW_MACHINES
@given(VALID)
def test_a_generated_valid_event_has_no_problems(event: dict[str, Any]) -> None:
    assert problems_of(event) == []


@SLOW_MACHINES
@given(VALID)
def test_what_marshmallow_loads_is_what_it_was_given(event: dict[str, Any]) -> None:
    assert json.dumps(EventSchema().load(event), sort_keys=True) == json.dumps(event, sort_keys=True)


def test_all_problems_of_an_event_are_told_at_once() -> None:
    event = purchase(user_data={"em": ["x"], "fbc": "x"}, custom_data={"contents": [{}]}, shop="north")
    del event["action_source"]

    assert verdict(event) == [
        ("action_source", "missing"),
        ("custom_data.contents[0].id", "missing"),
        ("custom_data.currency", "purchase_without_currency"),
        ("custom_data.value", "purchase_without_value"),
        ("shop", "unknown_key"),
        ("user_data.em[0]", "not_hashed"),
        ("user_data.fbc", "malformed_fbc"),
    ]


def test_a_key_that_holds_an_address_is_masked() -> None:
    event = purchase() | {"ada@example.com": 1, "+12025550123": 2, "x" * 65: 3}

    assert problems_of(event) == [Problem(MASKED_KEY, "unknown_key", MESSAGES["unknown_key"])]


def test_a_key_that_makes_the_path_too_long_is_masked() -> None:
    event = purchase(custom_data={"value": 1, "currency": "EUR", "k" * 60: None})

    assert verdict(event) == [(f"custom_data.{MASKED_KEY}", "not_property")]


def test_every_field_and_validator_can_be_read_by_other_code() -> None:
    kinds = [field for _, field in FIELDS]

    assert all(isinstance(field, Strict | ListOf | Object) for field in kinds)
    assert all(dataclasses.is_dataclass(validator) for field in kinds for validator in field.validators)
