"""An event store with a spool behind it: what the store does not take now waits on disk, and is drained later."""

import logging
import os
import time
import weakref
from contextlib import suppress
from pathlib import Path

from capi_relay import failpoints
from capi_relay.append import Append
from capi_relay.errors import InDoubt, LaneFull, Overloaded
from capi_relay.spool import Spool
from capi_relay.spool_drain import Drain
from capi_relay.spool_record import Spooled
from capi_relay.store import AppendStore

DEFAULT_CAP_BYTES = 1_000_000_000
# For so long after a failure calls go to the spool at once: only one a second pays the store's deadline.
_AWAY_SECONDS = 1.0
_LOOK_SECONDS = 30.0

_log = logging.getLogger(__name__)


class SpooledStore:
    """Safe from threads, after a fork and under gevent, as the store is."""

    def __init__(self, store: AppendStore, patient: AppendStore, directory: Path, *, cap_bytes: int) -> None:
        """Take over a directory.

        Args:
            store: what calls go to; ``close`` leaves it open.
            patient: the same store with a longer deadline, for the thread that drains: nobody waits for it.
            directory: is made where it is missing.
            cap_bytes: how much all processes of this host may keep there.

        Raises:
            MisconfiguredError: the directory cannot be made, or others may write to it.
        """
        self._store = store
        self._patient = patient
        self._spool = Spool(directory, cap_bytes=cap_bytes)
        self._drain = Drain(self._spool, self._append_patiently)
        self._away_until = 0.0
        self._look_at = 0.0
        forget = weakref.WeakMethod(self._forget)  # the hook cannot be taken back, and must not keep this alive
        os.register_at_fork(after_in_child=lambda: (found := forget()) and found())

    def append(self, work: Append) -> bool:
        """Store the events of one call; say whether they went to the spool.

        Raises:
            Overloaded: neither the store nor the spool takes them; or their lane is full, which waiting does not mend.
            MisconfiguredError: as the store.
        """
        self._look_for_orphans()
        if not self._may_try():
            with suppress(Overloaded):  # if the spool is full, the store is worth the wait
                self._keep(work, doubt_ms=0)
                return True
        began_ms = _now_ms()  # before: this process may be stopped while it waits, and the store forgets meanwhile
        try:
            self._store.append(work)
        except LaneFull:
            raise
        except Overloaded as error:
            self._note_away(error)
            self._keep(work, doubt_ms=began_ms if isinstance(error, InDoubt) else 0)
            return True
        self._away_until = 0.0
        return False

    def drain(self, timeout_seconds: float) -> bool:
        """Drain the spool now; say whether all is drained but what living processes have."""
        return self._drain.run(timeout_seconds)

    def close(self) -> None:
        """End the thread and let go of the files."""
        self._drain.close()
        self._patient.close()

    def _keep(self, work: Append, *, doubt_ms: int) -> None:
        self._spool.append(Spooled(work, _now_ms(), doubt_ms))
        failpoints.reach("after_spool")
        self._drain.start()

    def _may_try(self) -> bool:
        """Say whether this call tries the store: while it is away, one a second does."""
        now = time.monotonic()
        if now < self._away_until:
            return False
        if self._away_until:
            self._away_until = now + _AWAY_SECONDS  # the others go on spooling while this one tries
        return True

    def _note_away(self, error: Overloaded) -> None:
        if not self._away_until:
            _log.warning("Events are spooled to disk until the event store takes them: %s", error)
        self._away_until = time.monotonic() + _AWAY_SECONDS

    def _append_patiently(self, work: Append) -> None:
        self._patient.append(work)
        self._away_until = 0.0

    def _look_for_orphans(self) -> None:
        """Look for files of dead processes, at the first call and then now and again."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            if self._spool.has_files():
                self._drain.start()

    def _forget(self) -> None:
        self._spool.forget()
        self._drain.forget()
        self._look_at = 0.0


def _now_ms() -> int:
    return int(time.time() * 1000)
