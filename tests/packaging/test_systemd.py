import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.test_deployments import PROCFILE, words_of
from worker.settings import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
HOME = "/opt/capi-relay/.venv/bin/"
# The metrics are not in the Procfile; compose has them, with an address for containers behind the command.
COMMANDS = {**{role: shlex.split(line) for role, line in PROCFILE.items()}, "metrics": words_of("metrics")[:4]}


def option(path: Path, name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", path.read_text(), re.MULTILINE)
    return str(value)


def role_of(path: Path) -> str:
    return path.stem.removeprefix("capi-relay-").rstrip("@")


def test_there_is_a_unit_for_each_process_of_the_procfile_and_for_the_metrics() -> None:
    assert {role_of(path) for path in SERVICES} == COMMANDS.keys()


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: str(path.name))
def test_a_unit_starts_what_the_procfile_and_compose_start(path: Path) -> None:
    words = shlex.split(option(path, "ExecStart").removeprefix(HOME))

    assert words[: len(COMMANDS[role_of(path)])] == COMMANDS[role_of(path)]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: str(path.name))
def test_a_unit_is_not_root_and_writes_nowhere(path: Path) -> None:
    assert option(path, "User") == "capi"
    assert option(path, "ProtectSystem") == "strict"
    assert option(path, "NoNewPrivileges") == "yes"
    assert option(path, "CapabilityBoundingSet") == ""


def test_a_worker_is_started_again_and_may_end_its_posts() -> None:
    worker = FOLDER / "capi-relay-worker@.service"

    assert option(worker, "Restart") == "always"
    assert option(worker, "RestartPreventExitStatus") == "2"
    assert int(option(worker, "TimeoutStopSec")) >= load({"CAPI_REDIS_URL": "redis://h"}).http_total_seconds + 10


def test_the_target_starts_units_that_there_are() -> None:
    wanted = option(FOLDER / "capi-relay.target", "Wants").split()

    assert {re.sub(r"@\w+\.", "@.", name) for name in wanted} <= {path.name for path in SERVICES}


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder = Path(sys.executable).parent
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace(HOME, f"{folder}/"))
    verified = [tmp_path / path.name.replace("@.", "@1.") for path in UNITS]
    (tmp_path / "capi-relay-worker@1.service").symlink_to(tmp_path / "capi-relay-worker@.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *verified],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    assert (done.returncode, done.stderr) == (0, "")
