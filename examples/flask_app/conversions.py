"""Say an order in Meta's words: plain data in, plain data out."""

from decimal import Decimal
from typing import Any

from capi_relay import event_id_for


def purchase(order: dict[str, Any], visitor: dict[str, str | None]) -> dict[str, Any]:
    """Return the event for an order; personal data goes in raw, the producer hashes it."""
    return {
        "event_name": "Purchase",
        "event_id": event_id_for("Purchase", order["id"]),  # the same order, the same id
        "action_source": "website",
        "event_source_url": visitor["url"],
        "user_data": {
            "em": order["email"],
            "ph": order["phone"],
            "client_ip_address": visitor["ip"],
            "client_user_agent": visitor["user_agent"],
            "fbp": visitor["fbp"],
            "fbc": visitor["fbc"],
        },
        "custom_data": {
            "order_id": order["id"],
            "currency": "EUR",
            "value": Decimal(order["total"]),
        },
    }
