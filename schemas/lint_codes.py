"""The lint codes: every way an event can be accepted and still be of no use, and the sentence that says what to do.

As with the problem codes they are stable, and a sentence never holds a value of the event; ``{known}`` is a name of
Meta's own.
"""

from types import MappingProxyType
from typing import Final

UNTIMELY: Final = ("too_old", "in_the_future")
"""Those of an event that would be refused now, and only because of its time."""

LINT_MESSAGES: Final = MappingProxyType(
    {
        # the event
        "missing_event_id": "is missing: give the id that the browser pixel got as eventID, or Meta counts both",
        "event_name_case": "is a custom event to Meta, which tells cases apart: the standard event is {known}",
        "app_event_name": "is the name of Meta's app SDK: the Conversions API calls it {known}",
        "too_old": "is older than Meta takes (7 days, 62 for physical_store): it would be refused now",
        "in_the_future": "lies in the future: it would be refused now",
        "url_off_domains": "is on none of the dataset's domains: events of other sites do not belong in it",
        "website_without_user_agent": "is missing: Meta documents it as required for website, and uses it to match",
        "test_event_code": "is set: it is for trying things out; remove it in production",
        # hashes
        "hash_of_nothing": "is the SHA-256 of an empty text: leave the field out where there is no value",
        "hash_of_placeholder": "is the SHA-256 of a word for no value, such as null: leave the field out there",
        "hash_of_unnormalised": (
            "is the SHA-256 of a value that was not normalised before (upper case, spaces, a name for a code): "
            "normalise it first, or give the value itself to the producer"
        ),
        "hash_of_hash": "is the SHA-256 of a SHA-256: hash once",
        "md5": "is an MD5, which Meta cannot match: send the SHA-256",
        # other identifiers
        "placeholder_id": "is a word for no value, such as null: it would make one person of all; leave it out there",
        "lead_id_as_text": "is text, which Meta takes and matches with no lead: send an integer",
        "not_an_ip": "is no IPv4 or IPv6 address: send the visitor's alone, without port and spaces",
        "private_ip": "is no public address: take the visitor's, which the outermost proxy of your own hands on",
        "malformed_fbp": "has not the form fb.1.<milliseconds>.<digits>: send the _fbp cookie as it is",
        "fbc_made_at_send_time": (
            "was made when the event was, not when the ad was clicked: send the _fbc cookie, "
            "or build it when the fbclid is first seen"
        ),
        "fbc_time_in_seconds": "holds its time in seconds: Meta documents milliseconds",
        "fbc_lower_case": "was put in lower case: a click id is case-sensitive, send it as it came",
        # custom_data
        "value_outside_custom_data": "is of no use here: it belongs in custom_data",
        "currency_without_value": "is given without a value: add value, or leave both out",
        "purchase_value_zero": "is 0: a Purchase without an amount cannot be optimised for; send what was paid",
        "misspelt_key": "is a custom property to Meta: its own key is {known}",
        "lead_without_crm_source": (
            "is documented for the stages of a lead: event_source crm, and the CRM's name in lead_event_source"
        ),
        # several events
        "event_id_reused": (
            "stands on several events of different names or times: Meta may keep only the first; give each its own"
        ),
        "ip_of_many_people": "stands on events of many people: it looks like a server's; send the visitor's",
    }
)
