import re

import pytest
from marshmallow import fields

from capi_relay.personal import protect
from capi_relay.wire import decode, encode
from schemas import problems_of
from schemas.accept import Acceptor
from schemas.base import ClosedSchema
from schemas.field_types import NotCompilableError
from schemas.fields import Text
from schemas.validators import Matches
from tests.fakes.events import bad_events, mixed, page_view, purchase
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


class ForeignFieldSchema(ClosedSchema):
    """A field of marshmallow's own."""

    name = fields.Email()


class ForeignValidatorSchema(ClosedSchema):
    """A validator that says nothing of itself."""

    name = Text(validate=bool)


class ForeignPatternSchema(ClosedSchema):
    """A pattern with flags, which msgspec would not see."""

    name = Text(validate=Matches(re.compile(r"\Aa\Z", re.IGNORECASE), "bad"))


@pytest.mark.parametrize("schema", [ForeignFieldSchema, ForeignValidatorSchema, ForeignPatternSchema])
def test_what_the_compiler_does_not_know_it_refuses_to_compile(schema: type[ClosedSchema]) -> None:
    with pytest.raises(NotCompilableError):
        Acceptor(schema)
