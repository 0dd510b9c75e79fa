"""The browser pixel's call for an event that the server sends too, with its id, so that Meta pairs both; pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from capi_relay.wire import encode

_NAMES: Final = """
AddPaymentInfo AddToCart AddToWishlist CompleteRegistration Contact CustomizeProduct Donate FindLocation
InitiateCheckout Lead PageView Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent
"""
STANDARD_EVENTS: Final = frozenset(_NAMES.split())
"""Meta: meta-pixel/reference. Any other name is a custom event, which the pixel has another word for."""

# Inside a <script> these could end it or open a comment; U+2028 and U+2029 end a line in older JavaScript.
_ESCAPES: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&'\u2028\u2029"}


def pixel_call(event_name: str, event_id: str, params: Mapping[str, Any] | None = None) -> str:
    """Return ``fbq("track", ...)`` for a ``<script>`` block, where it needs no further escaping.

    Args:
        event_name: As in the server's event, in the same case.
        event_id: The server event's id: ``receipt.event_id``.
        params: What the pixel may tell too, such as value and currency; never personal data.

    Raises:
        InvalidEvent: JSON cannot carry the parameters.
    """
    verb = "track" if event_name in STANDARD_EVENTS else "trackCustom"
    arguments = (json.dumps(verb), json.dumps(event_name), encode(params or {}).decode(), _id_object(event_id))
    return f"fbq({', '.join(arguments).translate(_ESCAPES)});"


def _id_object(event_id: str) -> str:
    return json.dumps({"eventID": event_id}, separators=(",", ":"))
