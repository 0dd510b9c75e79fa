"""Places where a test may make this process fail: off, and free of cost, unless ``CAPI_FAILPOINT`` is set.

``CAPI_FAILPOINT=after_post:kill@3`` kills the process when it comes past ``after_post`` for the third time; several are
separated by commas. It is for tests and drills: a worker that delivers for people never has it set.
"""

import os
import re
import signal
import threading
from collections.abc import Callable
from importlib import import_module

from capi_relay.errors import MisconfiguredError

VARIABLE = "CAPI_FAILPOINT"

_PROCESS = ("kill", "stop", "memory_error", "exit")
_NETWORK = ("connection_error", "timeout")
_REFUSALS = ("oom", "readonly")
# What may go wrong at each place; behind a call of the store its answer may be lost, but no longer be a refusal.
_CALLS = ("append", "lease", "seen", "mark", "settle", "replay")
ACTIONS: dict[str, tuple[str, ...]] = {
    **{f"before_{call}": (*_PROCESS, *_NETWORK, *_REFUSALS) for call in _CALLS},
    **{f"after_{call}": (*_PROCESS, *_NETWORK) for call in _CALLS},
    "after_claim": _PROCESS,
    "after_validate": _PROCESS,
    "mid_post": (*_PROCESS, *_NETWORK),  # half of the body is sent
    "after_post": (*_PROCESS, *_NETWORK),  # the answer is read, and nothing was made of it
    "in_bisect": _PROCESS,
    "in_dead_replay": _PROCESS,
    "after_spool": _PROCESS,  # the call is on the disk, and nobody was told
    "in_spool_drain": ("kill", "stop", "memory_error"),  # the store has the call, and the spool still holds it
}
"""Each place, and what may be made to happen there."""

_SPEC = re.compile(r"(\w+):(\w+)(?:@([1-9][0-9]*))?")


def parse(text: str) -> dict[str, tuple[str, int]]:
    """Return the action of each place that the text names, and at which coming past it happens.

    Raises:
        MisconfiguredError: a place or action that does not exist.
    """
    armed: dict[str, tuple[str, int]] = {}
    for spec in filter(None, (each.strip() for each in text.split(","))):
        found = _SPEC.fullmatch(spec)
        if found is None:
            raise MisconfiguredError(f"{VARIABLE}: write name:action or name:action@nth, not {spec!r}")
        name, action, nth = found.groups()
        if name not in ACTIONS:
            raise MisconfiguredError(f"{VARIABLE}: there is no {name!r}; there are {', '.join(ACTIONS)}")
        if action not in ACTIONS[name]:
            raise MisconfiguredError(f"{VARIABLE}: {name} cannot {action!r}; it can {', '.join(ACTIONS[name])}")
        armed[name] = (action, int(nth or 1))
    return armed


def armed(text: str) -> Callable[[str], None]:
    """Return what the code calls at each place it comes past.

    Raises:
        MisconfiguredError: as ``parse``.
    """
    left = parse(text)
    lock = threading.Lock()

    def come_past(name: str) -> None:
        with lock:
            if name not in left:
                return
            action, nth = left[name]
            if nth > 1:
                left[name] = (action, nth - 1)
                return
            del left[name]
        os.write(2, f"failpoint {name}: {action}\n".encode())
        _fail(name, action)

    return come_past


def _fail(name: str, action: str) -> None:
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "exit":
            raise SystemExit(1)
        case "memory_error":
            raise MemoryError(f"failpoint {name}")
        case _:
            raise _trouble(name, action)


def _trouble(name: str, action: str) -> Exception:
    """Return the error of a network or of the store, as the client library of each raises it."""
    if name.endswith("_post"):
        return TimeoutError("failpoint") if action == "timeout" else ConnectionResetError("failpoint")
    told = {
        "connection_error": ("ConnectionError", "Connection closed by server."),
        "timeout": ("TimeoutError", "Timeout reading from socket"),
        "oom": ("OutOfMemoryError", "command not allowed when used memory > 'maxmemory'."),
        "readonly": ("ReadOnlyError", "You can't write against a read only replica."),
    }
    kind, sentence = told[action]
    error: Exception = getattr(import_module("redis.exceptions"), kind)(sentence)
    return error


def _off(_name: str) -> None:
    """Do nothing: no failpoint is armed."""


_TEXT = os.environ.get(VARIABLE, "")
ARMED = bool(_TEXT)
reach: Callable[[str], None] = armed(_TEXT) if ARMED else _off
