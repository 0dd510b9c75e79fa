"""Programs of the system that a test needs: without one it is skipped, but in CI it fails."""

import os
import shutil

import pytest


def needed(program: str) -> str:
    """Return the program's path."""
    path = shutil.which(program)
    if path is not None:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(f"{program} is not installed, and in CI nothing is skipped for that")
    pytest.skip(f"{program} is not installed")
