"""A drop-in for code that uses Meta's Python SDK: what ``EventRequest.execute()`` would have sent is enqueued instead.

    EventRequest(..., http_client=RelayHttpService(producer), access_token="unused").execute()

The SDK is not imported: this has the shape of its ``HttpServiceInterface``. By then the SDK has normalised and hashed
the personal data, by rules that are not always the documented ones. A hash cannot be put right: it is passed on.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from capi_relay.errors import InvalidEvent, MisconfiguredError, RelayError
from capi_relay.producer import Producer, Receipt
from capi_relay.wire import decode

_EVENTS_URL: Final = re.compile(r"https?://[^/]+/(?:v[0-9.]+/)?([0-9]{1,32})/events")
# The worker has its own token for the dataset; the SDK's never goes further than this call.
_SECRETS: Final = frozenset({"access_token", "appsecret_proof"})
_IN_DATASETS_FILE: Final = frozenset({"test_event_code", "partner_agent"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RelayedResponse:
    """The answer to an ``execute()``, with what the SDK's ``EventResponse`` has, and the receipts.

    Meta has seen nothing yet: whether it takes the events is for the worker to learn.
    """

    events_received: int
    """How many events were accepted for delivery: all of the request."""
    messages: list[str]
    """What was left out, by field; never a value."""
    fbtrace_id: str | None = None
    """Nothing: that is Meta's to give."""
    receipts: tuple[Receipt, ...] = ()
    """One for each event, in order; ``event_id`` is for the pixel."""

    def to_dict(self) -> dict[str, Any]:
        """Return what the SDK's own answer would."""
        return {
            "events_received": self.events_received,
            "messages": self.messages,
            "fbtrace_id": self.fbtrace_id,
        }


class RelayHttpService:
    """What an ``EventRequest`` takes as its ``http_client``. Safe wherever the producer is."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._reported: set[str] = set()

    def execute(
        self,
        url: str,
        method: str,
        request_options: object,
        headers: object,
        params: Mapping[str, Any],
    ) -> RelayedResponse:
        """Enqueue the request's events for the dataset in its URL.

        Raises:
            InvalidEvent: JSON cannot carry an event, or it is too large or too deep; nothing of the request is stored.
            Overloaded: The event store is away, slow or full, and the producer has no spool that takes them. Of a
                request of up to 1000 events and 2 MB nothing is stored then; of a larger one the message says how much.
            MisconfiguredError: It is no request for events.
        """
        del request_options, headers
        dataset_id = _dataset_id(url, method)
        events = _events(params.get("data"))
        outcomes = self._producer.enqueue_many(events, dataset_id=dataset_id)
        receipts = tuple(outcome for outcome in outcomes if isinstance(outcome, Receipt))
        _raise_refusal(outcomes)
        messages = [f"data[{n}]: {warning}" for n, receipt in enumerate(receipts) for warning in receipt.warnings]
        return RelayedResponse(len(receipts), messages + self._not_carried(params), receipts=receipts)

    def _not_carried(self, params: Mapping[str, Any]) -> list[str]:
        """Say which of the request's own parameters are not sent on; log each of them once."""
        messages = []
        for name in sorted(params.keys() - _SECRETS - {"data"}):
            where = "set it in the datasets file" if name in _IN_DATASETS_FILE else "it has no place in the relay"
            message = f"{name}: not sent on: {where}"
            messages.append(message)
            if name not in self._reported:
                self._reported.add(name)
                _log.warning("Of a request by Meta's SDK, %s", message)
        return messages


def _dataset_id(url: str, method: str) -> str:
    if method == "POST" and (found := _EVENTS_URL.fullmatch(url)):
        return found[1]
    raise MisconfiguredError("only an EventRequest can be relayed: a POST to <version>/<dataset id>/events")


def _events(data: object) -> list[dict[str, Any]]:
    """Return the request's events; all are read before the first is stored, so that one bad one stores none."""
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise InvalidEvent("the request's data is no list of events")
    events = []
    for n, text in enumerate(data):
        if not isinstance(text, str):
            raise InvalidEvent(f"data[{n}]: it is no JSON text, as an EventRequest makes it")
        try:
            events.append(decode(text.encode(errors="surrogatepass")))
        except InvalidEvent as error:
            raise InvalidEvent(f"data[{n}]: {error}; nothing of the request is stored") from None
    return events


def _raise_refusal(outcomes: Sequence[Receipt | RelayError]) -> None:
    for n, outcome in enumerate(outcomes):
        if isinstance(outcome, RelayError):
            accepted = sum(isinstance(other, Receipt) for other in outcomes)
            raise type(outcome)(f"data[{n}]: {outcome}; {accepted} of {len(outcomes)} events are stored") from outcome
