import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from capi_relay.personal import protect
from capi_relay.wire import decode, encode
from schemas import problems_of
from schemas.accept import Acceptor
from schemas.accept_checks import are_digests
from schemas.base import ClosedSchema
from schemas.field_types import NotCompilableError
from schemas.fields import OneOrMany, Text
from schemas.validators import HASH, Matches
from tests.fakes.events import bad_events, digest, mixed, page_view, purchase
from tests.fakes.mutations import mutants

ACCEPTOR = Acceptor()
MUTANTS = 20_000


def test_ordinary_events_take_the_short_way() -> None:
    events = [protect(event)[0] for event in mixed(500, seed=3)]

    assert all(ACCEPTOR.take(encode(event)) for event in events)


def test_what_is_taken_can_be_read_by_the_names_of_the_schema() -> None:
    event = ACCEPTOR.take(encode(purchase(event_id="order-7", event_time=1_700_000_000)))

    assert (event.event_name, event.event_id, event.event_time) == ("Purchase", "order-7", 1_700_000_000)
    assert event.get("opt_out") is None
    assert "opt_out" not in event


@pytest.mark.parametrize("name", bad_events())
def test_a_bad_event_is_left_to_the_schemas(name: str) -> None:
    assert ACCEPTOR.take(encode(bad_events()[name])) is None


def test_nothing_is_taken_that_the_schemas_refuse() -> None:
    """A million of them were tried by hand (benchmarks/README.md says how)."""
    wrongly_taken = [
        event
        for event in mutants(MUTANTS, seed=5)
        if ACCEPTOR.take(data := encode(event)) is not None and problems_of(decode(data))
    ]

    assert wrongly_taken == []


def test_few_valid_events_have_to_take_the_long_way() -> None:
    valid = [data for event in mutants(3000, seed=6) if not problems_of(decode(data := encode(event)))]

    taken = sum(ACCEPTOR.take(data) is not None for data in valid)

    assert taken > 0.9 * len(valid)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"event_name":', b"[" * 100_000, b"1"])
def test_what_is_no_event_is_left_to_the_schemas(data: bytes) -> None:
    assert ACCEPTOR.take(data) is None


def test_an_unknown_property_may_be_anything_but_null() -> None:
    event = page_view(event_id="x") | {"custom_data": {"shoe_size": {"eu": [42]}}}

    assert ACCEPTOR.take(encode(event)) is not None
    assert ACCEPTOR.take(encode(event | {"custom_data": {"shoe_size": None}})) is None


def test_an_object_of_unknown_keys_alone_is_left_to_the_schemas_where_a_rule_asks_whether_it_is_empty() -> None:
    event = page_view(event_id="x") | {"event_name": "AppendValue"}
    del event["action_source"]

    assert ACCEPTOR.take(encode(event | {"original_event_data": {"event_name": "Purchase"}})) is not None
    assert ACCEPTOR.take(encode(event | {"original_event_data": {}})) is None
    assert ACCEPTOR.take(encode(event | {"original_event_data": {"unknown": 1}})) is None


def test_a_price_is_found_in_any_of_the_contents() -> None:
    contents = [{"id": "sku-1"}, {"id": "sku-2", "price": 0}]
    event = page_view(event_id="x") | {"custom_data": {"contents": contents}}

    assert ACCEPTOR.take(encode(event)) is None
    assert ACCEPTOR.take(encode(event | {"action_source": "physical_store"})) is not None


DIGEST = digest("ada@example.com")


@pytest.mark.parametrize(
    "digests",
    [DIGEST, [DIGEST], [DIGEST, DIGEST], f"{DIGEST}.ab", [DIGEST, f"{DIGEST}.abcdefgh"], [f"{DIGEST}.ab"] * 2],
)
def test_digests_are_taken_alone_in_lists_and_with_their_appendix(digests: object) -> None:
    event = page_view(event_id="x")
    event["user_data"] |= {"em": digests, "ph": [DIGEST]}

    assert ACCEPTOR.take(encode(event)) is not None


NO_DIGEST = ["", "ada", DIGEST.upper(), DIGEST[:-1], f"{DIGEST}0", f"{DIGEST[:-1]} ", f"{DIGEST[:-1]}é", f"{DIGEST}\n"]


@pytest.mark.parametrize("text", NO_DIGEST)
def test_what_is_no_digest_is_left_to_the_schemas_wherever_it_stands(text: str) -> None:
    event = page_view(event_id="x")
    places = [{"em": text}, {"em": [text]}, {"em": [DIGEST, text]}, {"em": [text, f"{DIGEST}0"]}, {"fi": text}]

    for place in places:
        assert ACCEPTOR.take(encode(event | {"user_data": event["user_data"] | place})) is None


LONG_TEXTS = st.one_of(
    st.from_regex(HASH),
    st.text("0123456789abcdef", min_size=64, max_size=66),
    st.text("0123456789abcdefABCDEF_ .\n", min_size=64, max_size=74),
    st.text(min_size=64),
)


@given(st.lists(LONG_TEXTS))
def test_texts_that_are_looked_at_together_get_the_verdict_that_each_would_get(texts: list[str]) -> None:
    assert are_digests(texts) == all(map(HASH.match, texts))


class ForeignFieldSchema(ClosedSchema):
    """A field of marshmallow's own."""

    name = fields.Email()


class ForeignValidatorSchema(ClosedSchema):
    """A validator that says nothing of itself."""

    name = Text(validate=bool)


class ForeignPatternSchema(ClosedSchema):
    """A pattern with flags, which msgspec would not see."""

    name = Text(validate=Matches(re.compile(r"\Aa\Z", re.IGNORECASE), "bad"))


class Plates(OneOrMany):
    """A pattern that only marshmallow checks, for one text or many."""

    pattern = re.compile(r"\A[A-Z]+\Z")
    wrong_type = "not_hashed"


class ForeignTextsSchema(ClosedSchema):
    """A list of texts with a pattern of its own."""

    names = Plates()


@pytest.mark.parametrize(
    "schema", [ForeignFieldSchema, ForeignValidatorSchema, ForeignPatternSchema, ForeignTextsSchema]
)
def test_what_the_compiler_does_not_know_it_refuses_to_compile(schema: type[ClosedSchema]) -> None:
    with pytest.raises(NotCompilableError):
        Acceptor(schema)
