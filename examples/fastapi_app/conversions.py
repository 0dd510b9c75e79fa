"""Say a request for a quote in Meta's words: plain data in, plain data out."""

from typing import Any


def lead(email: str, phone: str | None, visitor: dict[str, str | None]) -> dict[str, Any]:
    """Return the event for a lead; personal data goes in raw, the producer hashes it."""
    return {
        "event_name": "Lead",
        "action_source": "website",
        "event_source_url": visitor["url"],
        "user_data": {
            "em": email,
            "ph": phone,
            "client_ip_address": visitor["ip"],
            "client_user_agent": visitor["user_agent"],
            "fbp": visitor["fbp"],
            "fbc": visitor["fbc"],
        },
    }
