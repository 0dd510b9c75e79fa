"""Business messaging: which names, channels and ids an event from a conversation must have, and which it must not.

Meta: business-messaging; the error subcodes are known from reports.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from schemas.base import Fault, is_present, section, where

BUSINESS_MESSAGING: Final = "business_messaging"

# UNVERIFIED: the documented fourteen; reports name data sets that take only two to four of them.
EVENT_NAMES: Final = frozenset(
    {
        "Purchase",
        "LeadSubmitted",
        "InitiateCheckout",
        "AddToCart",
        "ViewContent",
        "OrderCreated",
        "OrderShipped",
        "OrderDelivered",
        "OrderCanceled",
        "OrderReturned",
        "CartAbandoned",
        "QualifiedLead",
        "RatingProvided",
        "ReviewProvided",
    }
)

_taken = set(EVENT_NAMES)


def take_event_names(names: Collection[str]) -> None:
    """Say which names Meta takes from conversations, where experience differs from its page. Once, at start."""
    _taken.clear()
    _taken.update(names)


# For each channel the ids it needs; any one of a group is enough.
CHANNEL_IDS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "messenger": (("page_id",), ("page_scoped_user_id",)),
    "whatsapp": (("whatsapp_business_account_id", "page_id"), ("ctwa_clid",)),
    # The documented example has instagram_business_account_id; by the reports (2804079) ig_account_id is what counts.
    "instagram": (("ig_account_id",), ("ig_sid",)),
}
CHANNELS: Final = frozenset(CHANNEL_IDS)

WEB_ONLY: Final = (
    ("event_source_url",),
    ("user_data", "client_ip_address"),
    ("user_data", "client_user_agent"),
    ("user_data", "fbc"),
    ("user_data", "fbp"),
)


@where("action_source", BUSINESS_MESSAGING)
def messaging_has_its_ids(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find a messaging event without its channel or the channel's ids, or with a name Meta does not take."""
    name = event.get("event_name")
    if isinstance(name, str) and name not in _taken:
        yield Fault(("event_name",), "bad_messaging_event_name")
    if "messaging_channel" not in event:
        yield Fault(("messaging_channel",), "business_messaging_without_channel")
    channel = event.get("messaging_channel")
    user_data = section(event, "user_data")
    for group in CHANNEL_IDS.get(channel, ()) if isinstance(channel, str) else ():
        if not any(is_present(user_data.get(key)) for key in group):
            yield Fault(("user_data", group[0]), "missing_for_channel")


@where("action_source", BUSINESS_MESSAGING)
def messaging_has_no_web_keys(event: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what only a web page can know in an event that came from a conversation."""
    for path in WEB_ONLY:
        part = section(event, "user_data") if len(path) > 1 else event
        if is_present(part.get(path[-1])):
            yield Fault(path, "not_for_business_messaging")
