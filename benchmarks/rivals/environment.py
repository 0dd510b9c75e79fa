"""The virtual environment of celery-batches, which needs an older Celery than ours; made once, when first asked for."""

import subprocess
import sys
import venv
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / ".capi" / "bench-venv"
_PACKAGES = ("celery>=5.6,<5.7", "celery-batches==0.11", "redis", "hiredis", "requests", "packaging")


def batches_python() -> str | None:
    """Return the interpreter of that environment, or None where it cannot be installed."""
    python = _FOLDER / "bin" / "python"
    ready = _FOLDER / ".installed"
    wanted = "\n".join(_PACKAGES)
    if not ready.exists() or ready.read_text() != wanted:
        venv.create(_FOLDER, with_pip=True, clear=True)
        words = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *_PACKAGES]
        done = subprocess.run(words, check=False, timeout=300)  # noqa: S603 - pip, with names from this file
        if done.returncode:
            sys.stderr.write("celery-batches could not be installed; it is left out\n")
            return None
        ready.write_text(wanted)
    return str(python)
