"""Which keys of ``user_data`` Meta knows, and by what other names developers write them."""

from collections.abc import Callable
from typing import Final

from capi_relay.normalize import NORMALIZERS
from capi_relay.text import letters_and_digits

HASHED: Final = frozenset(NORMALIZERS)
"""Keys whose values Meta wants as SHA-256 digests (``external_id``: advises)."""

_PLAIN: Final = """
client_ip_address client_user_agent fbc fbp subscription_id fb_login_id lead_id anon_id madid
page_id page_scoped_user_id ctwa_clid ig_account_id instagram_business_account_id ig_sid whatsapp_business_account_id
partner_id partner_name
"""
PLAIN: Final = frozenset(_PLAIN.split())
"""Keys whose values Meta wants as they are: hashing or lowering them breaks them."""

KNOWN: Final = HASHED | PLAIN

_LONG_NAMES: Final = {
    "em": "email emails email_address email_addresses",
    "ph": "phone phones phone_number phone_numbers",
    "fn": "first_name first_names",
    "ln": "last_name last_names",
    "db": "date_of_birth date_of_births dates_of_birth dob birthday",
    "ge": "gender genders",
    "ct": "city cities",
    "st": "state states",
    "zp": "zip zips zip_code zip_codes postal_code postal_codes",
    "country": "country_code country_codes countries",
    "external_id": "external_ids",
    "client_ip_address": "client_ip ip ip_address",
    "client_user_agent": "user_agent client_ua",
    "fbc": "click_id",
    "fbp": "browser_id",
}


_MOST_REMEMBERED: Final = 1024
_LONGEST_REMEMBERED: Final = 64


class _Squeezed(dict[object, str]):
    """Remembers short keys only: what a visitor can make an app send as a key may be long, and never comes again."""

    def __missing__(self, key: object) -> str:
        text = letters_and_digits(key) if isinstance(key, str) else ""
        if isinstance(key, str) and len(key) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[key] = text
        return text


squeezed: Final[Callable[[object], str]] = _Squeezed().__getitem__
"""Return the key without case and punctuation (``firstName`` is ``firstname``), or nothing when it is no text."""


_BY_LONG_NAME: Final = {squeezed(name): key for key, names in _LONG_NAMES.items() for name in names.split()}
BY_NAME: Final = {squeezed(key): key for key in KNOWN} | _BY_LONG_NAME
"""Squeezed name -> Meta's key in ``user_data``."""

PERSONAL_IN_EVENT: Final = frozenset(map(squeezed, HASHED)) | _BY_LONG_NAME.keys()
"""Squeezed names that belong in ``user_data`` when they stand in the event itself, where Meta has no such key."""

PERSONAL_IN_CUSTOM_DATA: Final = frozenset(
    name for name, key in BY_NAME.items() if key in {"em", "ph", "fn", "ln", "db", "ge"}
)
"""The same for ``custom_data``, where city, region, country and postal_code are Meta's own keys for travel."""
