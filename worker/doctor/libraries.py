"""The versions of the libraries that our promises about the broker rest on; pure but for reading them."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from worker.doctor.finding import Finding

# kombu before 5.7 could stop consuming for ever after a lost connection; redis-py before 7 leaves Sentinel's sockets.
_LEAST = {"celery": (5, 7), "kombu": (5, 7), "redis": (7, 0)}
_BELOW = {"celery": (6,), "kombu": (6,)}


def installed() -> dict[str, str]:
    """Return the versions that this process runs with."""
    return {name: version(name) for name in _LEAST}


def of_libraries(versions: Mapping[str, str]) -> Iterator[Finding]:
    """Judge them."""
    for name, found in versions.items():
        numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
        least, below = _LEAST[name], _BELOW.get(name)
        if numbers < least:
            finding = (
                f"{name} {found} is too old: it takes {'.'.join(map(str, least))} to go on after a lost connection"
            )
            fix = "Install the locked packages: pip install --require-hashes -r requirements/service.txt."
            yield Finding("problem", "libraries", finding, fix)
        elif below and numbers >= below:
            finding = f"{name} {found} is newer than what this version was tested with"
            fix = "Install the locked packages: pip install --require-hashes -r requirements/service.txt."
            yield Finding("warning", "libraries", finding, fix)
        else:
            yield Finding("ok", "libraries", f"{name} {found}")
