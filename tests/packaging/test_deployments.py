import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from celery.bin.beat import beat

from tests.fakes.server import EmbeddedServer

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().replace(": exec ", ": ").splitlines())


def words_of(service: str) -> list[str]:
    """The command of a compose service, written as a list in one line or in several."""
    block = service_of(service)
    if inline := re.search(r"^    command: \[(.*)\]$", block, re.MULTILINE):
        return [word.strip().strip('"') for word in inline[1].split(",")]
    listed = re.search(r"^    command:\n((?:      - .*\n)+)", block, re.MULTILINE)
    assert listed is not None
    return [line.removeprefix("      - ").strip('"') for line in listed[1].splitlines()]


def service_of(name: str) -> str:
    """The text of one service."""
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", COMPOSE.partition("\nservices:\n")[2], re.MULTILINE)
    assert found is not None
    return found[1]


def copied_by_the_image() -> list[str]:
    return re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)


def test_the_procfile_and_compose_start_the_same_processes() -> None:
    assert {name: shlex.split(PROCFILE[name]) for name in PROCFILE} == {
        name: words_of(name) for name in ("worker", "beat", "flower")
    }


def test_every_option_of_beat_is_one_that_celery_knows() -> None:
    known = {option for parameter in beat.params for option in parameter.opts}
    given = {word for word in shlex.split(PROCFILE["beat"])[3:] if word.startswith("--")}

    assert given <= known


@pytest.mark.parametrize("name", ["beat", "flower"])
def test_every_process_is_of_the_one_application(name: str) -> None:
    assert shlex.split(PROCFILE[name])[:4] == ["celery", "-A", "worker.app", name]


def test_the_image_runs_the_worker_unless_it_is_told_otherwise() -> None:
    command = re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("\nCMD ")[2])

    assert command == words_of("worker")


def test_the_image_installs_the_locked_packages_by_their_hashes_and_drops_root() -> None:
    assert "--require-hashes -r" in DOCKERFILE
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["capi"]


def test_what_the_image_holds_is_enough_to_run(tmp_path: Path) -> None:
    for folder in copied_by_the_image():
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import tasks.deliver, tasks.maintenance, tasks.__main__, worker.app, simulator.server, capi_relay; "
        "print(worker.app.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stderr == ""
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)


def test_nothing_but_what_the_image_holds_goes_to_the_builder() -> None:
    listed = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    sent = {line[1:] for line in listed if line.startswith("!")}

    assert "*" in listed
    assert sent == {*copied_by_the_image(), "requirements/service.txt"}


def test_the_worker_in_compose_can_be_given_every_setting() -> None:
    settings = set(re.findall(r'"((?:CAPI|CELERY|SENTRY)_[A-Z_]+)"', (ROOT / "worker" / "settings.py").read_text()))

    assert len(settings) > 15
    assert settings - set(re.findall(r"^ +([A-Z_]+): ", COMPOSE, re.MULTILINE)) == set()


@pytest.mark.parametrize("name", ["beat", "flower", "metrics", "simulator"])
def test_only_the_worker_is_given_tokens(name: str) -> None:
    shared = COMPOSE.partition("\nservices:\n")[0]
    shared = re.sub(r"^#.*$", "", shared, flags=re.MULTILINE)

    assert "TOKEN" not in shared + service_of(name)
    assert "/config" not in shared + service_of(name)


def test_metrics_are_served_by_compose_only_where_they_are_asked_for() -> None:
    assert words_of("metrics")[:4] == ["python", "-m", "worker", "metrics"]
    assert "    profiles:\n      - metrics\n" in service_of("metrics")
    assert "metrics" not in PROCFILE  # a port that is taken would end all other processes of some Procfile runners


def test_nothing_listens_beyond_the_hosts_loopback() -> None:
    published = re.findall(r"^    ports:\n((?:      - .*\n)+)", COMPOSE, re.MULTILINE)

    assert published
    assert all(line.startswith("      - 127.0.0.1:") for block in published for line in block.splitlines())


def test_the_store_in_compose_keeps_what_it_is_given() -> None:
    words = words_of("redis")

    assert words[words.index("--appendonly") + 1] == "yes"
    assert words[words.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_simulator_takes_metas_place_by_one_file() -> None:
    lines = (ROOT / "deploy" / "simulator.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert settings["COMPOSE_PROFILES"] == "simulator"
    assert settings["CAPI_GRAPH_URL"] == "http://simulator:8090"
    assert settings["CAPI_INSECURE_HTTP_HOSTS"] == "simulator"
    assert set(settings) - {"COMPOSE_PROFILES"} <= set(re.findall(r"\$\{([A-Z_]+):", COMPOSE))


def test_the_health_check_tells_whether_the_store_answers(tmp_path: Path) -> None:
    code = re.search(r"^      - (from worker\.runtime .*)$", COMPOSE, re.MULTILINE)
    assert code is not None
    command = [sys.executable, "-c", code[1]]
    server = EmbeddedServer(tmp_path)
    env = {**os.environ, "CAPI_REDIS_URL": server.url}
    with server:
        well = subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=60, capture_output=True)
    ill = subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=60, capture_output=True)

    assert (well.returncode, ill.returncode) == (0, 1)


def test_compose_is_indented_by_twos_without_tabs() -> None:
    indents = {len(line) - len(line.lstrip(" ")) for line in COMPOSE.splitlines() if line.strip()}

    assert "\t" not in COMPOSE
    assert all(indent % 2 == 0 for indent in indents)


def test_the_image_is_built_in_two_stages_and_the_second_has_no_installer_at_work() -> None:
    first, second = DOCKERFILE.split("\nFROM ")[1:]

    assert first.startswith("python:3.12-slim AS packages")
    assert "pip install" in first
    assert "pip" not in second
    assert "COPY --from=packages /venv /venv" in second
    assert second.index("USER capi") < second.index("CMD ")


def test_the_user_of_the_image_is_the_one_that_kubernetes_names() -> None:
    (uid,) = re.findall(r"useradd --uid (\d+)", DOCKERFILE)

    assert f"runAsUser: {uid}" in (ROOT / "deploy" / "kubernetes" / "relay.yaml").read_text()
