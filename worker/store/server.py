"""What the event store's server says of itself: its clock, an option, how much is remembered."""

import time
from contextlib import suppress

from capi_relay import keys
from worker.errors import StoreUnavailable
from worker.store.connection import Connection


class Server:
    """Asked by ``check`` and at a worker's start."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def skew_ms(self) -> float:
        """Return how far this machine's clock is ahead of the server's, to half of a round trip."""
        before = time.time()
        seconds, microseconds = self._connection.command("TIME")
        here = (before + time.time()) / 2
        return (here - int(seconds) - int(microseconds) / 1_000_000) * 1000

    def option(self, name: str) -> str | None:
        """Return one option of the server; None: this user may not ask, as on managed servers, or there is none."""
        try:
            found = self._connection.command("CONFIG", "GET", name)
        except StoreUnavailable:
            return None
        values = found.values() if isinstance(found, dict) else found[1:]
        return next((each.decode() if isinstance(each, bytes) else str(each) for each in values), None)

    def remembered(self) -> int:
        """Return how many delivered events are remembered, all shards together."""
        shards = range(self._connection.shards)
        return sum(int(self._connection.command("HGET", keys.size(shard), "seen") or 0) for shard in shards)

    def recount_remembered(self) -> None:
        """Count anew what is remembered: of a slot whose time runs out nobody takes the events off the count."""
        for shard in range(self._connection.shards):
            before = int(self._connection.command("HGET", keys.size(shard), "seen") or 0)
            prefix = keys.seen(shard, "", 0).removesuffix(":0")
            sizes = self._connection.commands([("SCARD", prefix + tail) for tail in self._connection.tails(prefix)])
            if sum(sizes) != before:
                with suppress(StoreUnavailable):  # a full server takes no number: the next sweep tries again
                    self._connection.command("HINCRBY", keys.size(shard), "seen", sum(sizes) - before)
