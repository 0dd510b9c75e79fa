"""The problem codes: every way an event can be invalid, and the sentence that says what to do about it.

Inside the schemas an error message *is* its code; ``problems_of`` puts the sentence beside it. Codes are stable: they
are stored with dead letters. The number behind a code is Meta's ``error_subcode`` that it spares the batch.
"""

from types import MappingProxyType
from typing import Final

MESSAGES: Final = MappingProxyType(
    {
        # shape (Meta: 2804019)
        "missing": "is required",
        "null": "must not be null: leave the key out",
        "unknown_key": "is no key Meta takes here: leave it out or correct its name",
        "not_object": "must be an object",
        "not_list": "must be a list (an array, not a JSON string of one)",
        "not_string": "must be a string",
        "not_integer": "must be an integer without quotes",
        "not_number": "must be a finite number, or a string that holds one such as 142.52",
        "not_boolean": "must be true or false",
        "not_flag": "must be 0, 1, true or false",
        "not_id": "must be a non-empty string or an integer",
        "not_scalar": "must be a string, a number, true or false",
        "not_property": "must be a string, a number, true, false, a list or an object: leave the key out otherwise",
        "empty": "must not be empty",
        "too_long": "is longer than Meta takes",
        "negative": "must not be negative",
        # the event
        "not_unix_seconds": (
            "must be Unix time in seconds, an integer such as 1700000000: convert ISO 8601 text, dates and fractions, "
            "or set coerce_times for the dataset"
        ),
        "event_time_in_milliseconds": "must be in seconds; this looks like milliseconds: divide by 1000",  # 2804004
        "bad_action_source": (
            "must be one of email, website, app, phone_call, chat, physical_store, system_generated, "
            "business_messaging, other"
        ),
        "website_without_url": "is required where action_source is website: the page's address, http:// or https://",
        "not_url": "must be a web address that starts with http:// or https://",
        "bad_customer_segmentation": "must be one of Meta's nine segments, such as new_customer_to_business",
        # Limited Data Use
        "bad_ldu_option": "must be LDU (or the list empty)",
        "bad_ldu_country": "must be 1 (USA) or 0 (Meta geolocates)",
        "bad_ldu_state": "must be 0 (Meta geolocates) or a code from 1000 to 1013",
        "ldu_without_country": "is required with LDU: 1 (USA) or 0 (Meta geolocates)",
        "ldu_without_state": "is required with LDU where user_data has no client_ip_address: Meta cannot geolocate",
        # user_data
        "not_hashed": (  # 2804016
            "must be hashed: the SHA-256 of the normalised value, 64 lowercase hex digits (or a non-empty list of such)"
        ),
        "not_external_id": "must be a non-empty string or a non-empty list of such",
        "malformed_fbc": "must have the form fb.1.<milliseconds>.<fbclid>: leave it out if it has not",  # 2804001
        "bad_lead_id": "must be Meta's lead id: 15 to 17 digits",  # 2804036
        "weak_identifiers": (  # 2804050
            "is not enough to find a person: add one of em, ph, external_id, client_ip_address, fbc, fbp, madid"
        ),
        # custom_data
        "purchase_without_value": "is required for a Purchase",  # 2804009
        "purchase_without_currency": "is required for a Purchase",  # 2804010
        "value_without_currency": "is required beside value",  # 2804023
        "bad_currency": "must be a currency code of three letters, such as EUR",
        "bad_delivery_category": "must be in_store, curbside or home_delivery",
        "bad_store_code": "must be 1 to 64 letters and digits",
        # app_data
        "app_without_app_data": "is required where action_source is app",
        "extinfo_length": "must have exactly 16 members, an empty string for what is not known",
        "bad_extinfo_version": "must be a2 (Android) or i2 (iOS)",
        "extinfo_without_os_version": "must be the operating system's version, not blank",  # 2804043
        "bad_extinfo_member": "must be a string or a number",
        # business messaging
        "bad_messaging_channel": "must be messenger, whatsapp or instagram",
        "business_messaging_without_channel": "is required where action_source is business_messaging",  # 2804063
        "missing_for_channel": "is required for this messaging_channel",  # 2804069, 2804071, 2804079, 2804116
        "not_for_business_messaging": "must be absent where action_source is business_messaging",  # 2804064
        "bad_messaging_event_name": "is no event name Meta takes from business_messaging",  # 2804066
    }
)
