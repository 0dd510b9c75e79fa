"""The producer's exceptions: one base, one sentence each."""


class RelayError(Exception):
    """Something the relay refuses to do; the message says what to change and holds no personal value."""


class InvalidEvent(RelayError):  # noqa: N818 - the contract's name; it reads as the verdict it is
    """This event can never be sent as it stands: JSON cannot carry it, or it is too large or too deeply nested."""


class Overloaded(RelayError):  # noqa: N818 - the contract's name
    """The event store is away, full or too slow, and the event was not accepted: it is not stored, but see InDoubt."""


class InDoubt(Overloaded):
    """The event store did not answer in time, or the connection broke: it may have stored the event, or may still."""


class LaneFull(Overloaded):
    """The event's dataset has as much waiting as it may, and the event was not accepted; others are not concerned."""


class MisconfiguredError(RelayError):
    """A setting, the datasets file or the event store contradicts what this process was told."""
