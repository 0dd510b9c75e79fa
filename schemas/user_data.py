"""``user_data``: the identifiers of a person, hashed where Meta wants a hash, and which sets of them are enough.

Closed: UNVERIFIED whether Meta refuses unknown keys here (one report says so, another not); refused all the same,
because an unknown key may be raw personal data under a name of the producer's own.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from marshmallow import fields

from schemas.base import ClosedSchema, Fault, Rule, is_present
from schemas.fields import ExternalId, HashField, HashText, Identifier, Text
from schemas.validators import NOT_EMPTY, Digits, Matches

# fb.<subdomain index>.<creation time>.<fbclid>, perhaps with the parameter builder's appendix (Meta: fbp-and-fbc).
FBC: Final = re.compile(r"\Afb\.[0-9]+\.[0-9]{10,13}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]{2}([A-Za-z0-9_-]{6})?)?\Z")

# Whoever carries only members of one of these sets is refused with 2804050 (Meta: best-practices).
WEAK_SETS: Final = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)


def enough_identifiers(user_data: Mapping[str, Any]) -> Iterator[Fault]:
    """Find user data that is too weak to be matched; keys Meta does not know are no identifiers."""
    for key in _STRONG:
        if is_present(user_data.get(key)):
            return  # in no weak set: nothing else need be looked at
    found = {key for key in _WEAK if is_present(user_data.get(key))}
    if any(found <= weak for weak in WEAK_SETS):
        yield Fault((), "weak_identifiers")


class UserDataSchema(ClosedSchema):
    """Meta: customer-information-parameters."""

    rules: ClassVar[tuple[Rule, ...]] = (enough_identifiers,)

    # contact data: one digest or a list of them
    em = HashField()
    ph = HashField()
    fn = HashField()
    ln = HashField()
    db = HashField()
    ge = HashField()
    ct = HashField()
    st = HashField()
    zp = HashField()
    country = HashField()
    # the same, in pieces: one digest each (the SDKs only)
    f5first = HashText()
    f5last = HashText()
    fi = HashText()
    dobd = HashText()
    dobm = HashText()
    doby = HashText()
    # ids, never hashed
    external_id = ExternalId()
    client_ip_address = Text(validate=Matches(NOT_EMPTY, "empty"))
    client_user_agent = Text()
    fbc = Text(validate=Matches(FBC, "malformed_fbc"))
    fbp = Text()
    subscription_id = Identifier()
    fb_login_id = Identifier()
    # Meta: conversion-leads, an integer; a string in the SDK. One page says 15 to 16 digits.
    lead_id = Identifier(validate=Digits(15, 17, "bad_lead_id"))
    anon_id = Text()
    madid = Text()
    # business messaging
    page_id = Identifier()
    page_scoped_user_id = Identifier()
    ctwa_clid = Text()
    ig_account_id = Identifier()
    instagram_business_account_id = Identifier()
    ig_sid = Identifier()
    whatsapp_business_account_id = Identifier()
    # UNVERIFIED: these two are sent by one large connector only.
    partner_id = Identifier()
    partner_name = Text()

    def on_bind_field(self, field_name: str, field_obj: fields.Field[object]) -> None:
        """Let every field be null: a sample payload of Meta's own carries one (UNVERIFIED beyond that sample)."""
        del field_name
        field_obj.allow_none = True


_WEAK: Final = frozenset().union(*WEAK_SETS)
_OF_THE_PARTNER: Final = frozenset({"partner_id", "partner_name"})  # who sends says nothing of the person
# In the order of the schema: the identifiers that most events have come first.
_STRONG: Final = tuple(key for key in UserDataSchema().fields if key not in _WEAK | _OF_THE_PARTNER)
