"""What the linter knows by heart: Meta's names for events and properties, and digests that can only be a mistake."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from capi_relay.countries import COUNTRY_CODES, STATE_CODES
from capi_relay.fields import squeezed
from capi_relay.hashing import sha256_hex
from capi_relay.normalize import NORMALIZERS
from schemas.custom_data import CustomDataSchema
from schemas.messaging import EVENT_NAMES

# Meta: meta-pixel/reference, app-events, append-attribution.
_STANDARD: Final = """
AddPaymentInfo AddToCart AddToWishlist CompleteRegistration Contact CustomizeProduct Donate FindLocation
InitiateCheckout Lead PageView Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent
AchievementUnlocked ActivateApp LevelAchieved Rate SpentCredits TutorialCompletion MobileAppInstall AdClick AdImpression
AppendAttribution AppendValue
"""
STANDARD_EVENTS: Final = frozenset(_STANDARD.split()) | EVENT_NAMES
_APP_SDK_NAMES: Final = {
    "fb_mobile_achievement_unlocked": "AchievementUnlocked",
    "fb_mobile_activate_app": "ActivateApp",
    "fb_mobile_add_payment_info": "AddPaymentInfo",
    "fb_mobile_add_to_cart": "AddToCart",
    "fb_mobile_add_to_wishlist": "AddToWishlist",
    "fb_mobile_complete_registration": "CompleteRegistration",
    "fb_mobile_content_view": "ViewContent",
    "fb_mobile_initiated_checkout": "InitiateCheckout",
    "fb_mobile_level_achieved": "LevelAchieved",
    "fb_mobile_purchase": "Purchase",
    "fb_mobile_rate": "Rate",
    "fb_mobile_search": "Search",
    "fb_mobile_spent_credits": "SpentCredits",
    "fb_mobile_tutorial_completion": "TutorialCompletion",
    "MOBILE_APP_INSTALL": "MobileAppInstall",
}
APP_SDK_NAMES: Final[Mapping[str, str]] = _APP_SDK_NAMES
_BY_SQUEEZED_NAME: Final = {squeezed(name): name for name in STANDARD_EVENTS}

# Meta: custom-data, the keys for travel, cars and homes; and those of app events.
_VERTICAL: Final = """
availability body_style checkin_date city condition_of_vehicle country departing_arrival_date departing_departure_date
destination_airport destination_ids dma_code drivetrain exterior_color fuel_type hotel_score interior_color
lease_start_date lease_end_date listing_type make mileage.unit mileage.value model neighborhood num_adults num_children
num_infants origin_airport postal_code preferred_baths_range preferred_beds_range preferred_neighborhoods
preferred_num_stops preferred_price_range preferred_star_ratings price property_type region returning_arrival_date
returning_departure_date state_of_vehicle suggested_destinations suggested_home_listings suggested_hotels suggested_jobs
suggested_local_service_businesses suggested_location_based_items suggested_vehicles transmission travel_class
travel_start travel_end trim user_bucket vin year
description level max_rating_value success registration_method payment_info_available ad_type
"""
CUSTOM_DATA_KEYS: Final = frozenset(CustomDataSchema().fields) | frozenset(_VERTICAL.split())
_BY_SQUEEZED_KEY: Final = {squeezed(key): key for key in CUSTOM_DATA_KEYS}
# Words of their own, though a letter away from a key.
_OWN_WORDS: Final = frozenset({"county", "storedate"})
_ONE_SLIP_FROM, _TWO_SLIPS_FROM = 5, 10  # letters a key must have; a shorter one is a letter away from too many words
_LONGEST_KEY: Final = 40

_NO_VALUE: Final = ("undefined", "unknown", "n/a", "-", "[object object]", " ")
_NO_VALUE_OR_A_NAME: Final = ("null", "none", "nan", "nil", "false", "0")
NO_VALUE_WORDS: Final = frozenset(_NO_VALUE + _NO_VALUE_OR_A_NAME)
_NAMES: Final = frozenset({"fn", "ln", "f5first", "f5last", "fi"})  # somebody may be called Nan or Null
_GENDER_WORDS: Final = ("f", "m", "female", "male", "woman", "man", "w", "weiblich", "männlich")


@lru_cache(maxsize=1024)
def standard_event(name: str) -> str | None:
    """Return the standard event whose name is meant, where it is written in another way."""
    return None if name in STANDARD_EVENTS else _BY_SQUEEZED_NAME.get(squeezed(name))


@lru_cache(maxsize=1024)
def meant_key(key: str) -> str | None:
    """Return the key of ``custom_data`` that is meant, where this one is none and looks like a slip."""
    word = squeezed(key)
    if key in CUSTOM_DATA_KEYS or word in _OWN_WORDS or len(key) > _LONGEST_KEY:
        return None
    if word in _BY_SQUEEZED_KEY:
        return _BY_SQUEEZED_KEY[word]
    slips = {known: _distance(word, known) for known in _BY_SQUEEZED_KEY if abs(len(known) - len(word)) <= 2}  # noqa: PLR2004 - more are never allowed
    near = [known for known in sorted(slips, key=slips.__getitem__) if slips[known] <= _allowed_slips(known)]
    return _BY_SQUEEZED_KEY[near[0]] if near else None


def _allowed_slips(known: str) -> int:
    return (len(known) >= _ONE_SLIP_FROM) + (len(known) >= _TWO_SLIPS_FROM)


def _distance(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, replaced or swapped with the next to make one the other."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _digests(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(sha256_hex, words))


def _written_forms(words: Iterable[str], *, normal: frozenset[str]) -> frozenset[str]:
    """Return the digests of the words as people write them, without those of the normal forms."""
    forms = {form for word in words for form in (word, word.upper(), word.title(), word + " ", f" {word}")}
    return _digests(forms - normal)


_COUNTRIES: Final = frozenset(COUNTRY_CODES.values())
_STATES: Final = frozenset(STATE_CODES.values())
_GENDERS: Final = frozenset({"f", "m"})
UNNORMALISED: Final[Mapping[str, frozenset[str]]] = {
    "ge": _written_forms(_GENDER_WORDS, normal=_GENDERS),
    "country": _written_forms(COUNTRY_CODES, normal=_COUNTRIES),
    "st": _written_forms([*STATE_CODES, *_STATES], normal=_STATES),
}
"""Key -> digests of values that were hashed without being normalised, as far as they can be listed."""

TWICE_HASHED: Final[Mapping[str, frozenset[str]]] = {
    "ge": _digests(map(sha256_hex, _GENDERS)),
    "country": _digests(map(sha256_hex, _COUNTRIES)),
    "st": _digests(map(sha256_hex, _STATES)),
}
"""Key -> digests of digests."""


def _placeholders(key: str) -> frozenset[str]:
    words = _NO_VALUE if key in _NAMES else (*_NO_VALUE, *_NO_VALUE_OR_A_NAME)
    return _digests(form for word in words for form in (word, word.upper(), word.title()))


PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {key: _placeholders(key) for key in NORMALIZERS}
"""Key -> digests of words for no value."""
