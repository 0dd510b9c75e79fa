"""The worker's exceptions: one base, one sentence each."""

from capi_relay.errors import RelayError


class WorkerError(RelayError):
    """The worker cannot go on with what it was doing; nothing that was accepted is lost by it."""


class StoreUnavailable(WorkerError):  # noqa: N818 - it names the state of the store, as Overloaded does for the producer
    """The event store cannot be read or written now, so nothing may be POSTed: what cannot be settled is not sent."""


class BrokerUnavailable(WorkerError):  # noqa: N818 - like StoreUnavailable: it reads as the state it is
    """The Celery broker did not answer or took no message; delivery goes on without it, one pump a process."""
