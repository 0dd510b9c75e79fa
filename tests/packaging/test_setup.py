"""What ``make setup`` makes: an environment whose python finds the producer from any folder."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE"))} | environ
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_environments_python_imports_the_producer_from_another_folder(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    (venv / ".installed").touch()  # the packages would need the network: those of this environment serve

    run("make", f"VENV={venv}", "setup", cwd=ROOT)

    script = "import capi_relay; print(capi_relay.__file__)"
    packages = sysconfig.get_path("purelib")  # a .pth in it is not read when it is named so
    found = run(venv / "bin" / "python", "-c", script, cwd=tmp_path, PYTHONPATH=packages)
    assert found == str(ROOT / "capi_relay" / "__init__.py")


def test_this_environments_python_imports_the_producer_from_another_folder(tmp_path: Path) -> None:
    assert run(sys.executable, "-c", "import capi_relay; print('found')", cwd=tmp_path) == "found"
