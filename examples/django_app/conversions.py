"""Say a registration in Meta's words: plain data in, plain data out."""

import uuid
from typing import Any


def registration(form: dict[str, str], visitor: dict[str, str | None]) -> dict[str, Any]:
    """Return the event for a new account; personal data goes in raw, the producer hashes it."""
    return {
        "event_name": "CompleteRegistration",
        "event_id": uuid.uuid4().hex,  # given here, so that the answer can hold it before the event is enqueued
        "action_source": "website",
        "event_source_url": visitor["url"],
        "user_data": {
            "em": form["email"],
            "fn": form["first_name"],
            "ln": form["last_name"],
            "client_ip_address": visitor["ip"],
            "client_user_agent": visitor["user_agent"],
            "fbp": visitor["fbp"],
            "fbc": visitor["fbc"],
        },
    }
