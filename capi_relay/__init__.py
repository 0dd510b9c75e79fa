"""capi-relay's producer: enqueue conversion events for Meta's Conversions API."""

from capi_relay.errors import InvalidEvent, MisconfiguredError, Overloaded, RelayError
from capi_relay.producer import Producer, Receipt, event_id_for

__version__ = "0.1.0"

__all__ = ["InvalidEvent", "MisconfiguredError", "Overloaded", "Producer", "Receipt", "RelayError", "event_id_for"]
