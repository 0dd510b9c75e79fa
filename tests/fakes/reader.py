"""A reader of the documentation who types its commands, at a place that has what the pages suppose."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.relay import ROOT, wait_until
from tests.fakes.server import free_port

COMMAND_SECONDS = 60
STOP_SECONDS = 40
# They need the network, root, Docker or a cluster, or run all tests: their syntax and their files are checked.
MARKED = re.compile(
    r"docker |kubectl |systemctl |useradd |cp deploy/systemd|install -m 0600 /dev/null /etc/"
    r"|(\S*/)?pip install |prometheus --config|python3 -m venv |\.venv/bin/python -m pytest"
)
HARMLESS = re.compile(
    r"python -m worker |python -c |python try\.py$|sleep \d$|curl -s |echo "
    r"|cat > token|install -m 600 /dev/null token|[A-Z_]+=\S+$"
)
# What they say when they are up; they run until the page is read.
ENDLESS = {
    r"python -m worker up$": "celery@",
    r"python -m worker metrics$": "Metrics are served",
    r"python -m worker status --watch$": "1234567890",
    r".venv/bin/python -m simulator": "simulator listening on",
    r"FLOWER_BASIC_AUTH=\S+ celery -A worker.app flower": "Connected to",
    r".* make run$": "celery@",
    r".*/flask --app": "Running on",
    r".*/uvicorn ": "Uvicorn running on",
    r".* runserver ": "Starting development server",
}
RELAY = "python -m worker up"
TYPED = {r"cat > token": "EAAexample", r"\S+ -m worker erase --email": "ada@example.com", r".* dead purge": "y"}
TYPED |= {r"\S+ -m worker erase --phone": "020 7946 0123"}
FOREIGN = ("CAPI_", "CELERY_", "SENTRY_", "FLOWER_")


class Reader:
    """Types commands in a folder that looks like the checkout; ends what was started when the page is read."""

    def __init__(self, folder: Path, stands_for: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.ports: dict[str, int] = {}
        self.stands_for = {
            "/tmp/capi-example/bin/": f"{Path(sys.executable).parent}/",  # noqa: S108 - the page's place
            ".venv/bin/python": sys.executable,
            "make run": "python -m worker up",  # the recipe; it would install packages first
            "/var/lib/shop": str(folder),
            **(stands_for or {}),
        }
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.env["PATH"] = f"{Path(sys.executable).parent}:{self.env['PATH']}"
        self.env["PYTHONPATH"] = str(folder)  # as if the producer were installed
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []
        for path in ROOT.iterdir():
            if path.name[0] != ".":
                (folder / path.name).symlink_to(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ends = [(command, self._ended(process)) for command, process in reversed(self.running)]
        if error is None:
            assert [command for command, code in ends if code not in {0, -signal.SIGINT, 130}] == [], ends

    def type(self, command: str) -> str:
        """Do what the command says, as far as it can be done here; return what it printed."""
        if MARKED.match(command):
            self._look_at(command)
        elif command.startswith("make ") or command == "make":
            self._run(f"make --dry-run --directory {ROOT} {command.removeprefix('make')}")
        elif command.startswith("export "):
            self.env |= {name: value for name, _, value in map(_assignment, self._here(command).split()[1:])}
        elif said := next((said for pattern, said in ENDLESS.items() if re.match(pattern, command)), None):
            self._start(command, said)
        elif HARMLESS.match(command):
            return self._run(self._here(command), typed=self._typed(command))
        else:
            assert command == ". .venv/bin/activate", f"tests/fakes/reader.py does not say how to try: {command}"
        return ""

    def _look_at(self, command: str) -> None:
        self._run(command, "-n")
        known = {path.name for path in ROOT.iterdir() if path.is_dir()}
        words = re.sub(r" exec \S+", "", command).split()  # there it is the cluster's name for a pod
        named = [word for word in words if word.partition("/")[0] in known and "/" in word]
        assert [word for word in named if not list(ROOT.glob(word))] == [], command

    def _typed(self, command: str) -> str:
        return next((typed + "\n" for pattern, typed in TYPED.items() if re.match(pattern, command)), "")

    def _here(self, command: str) -> str:
        """Return the command with this place's paths and ports."""
        places = "|".join(map(re.escape, self.stands_for))
        command = re.sub(places, lambda place: self.stands_for[place[0]], command)
        return re.sub(r"\b(8090|9108|500[123])\b", lambda port: str(self.port(port[0])), command)

    def port(self, written: str) -> int:
        """Return the free port that stands for one of the page's."""
        return self.ports.setdefault(written, free_port())

    def _run(self, command: str, *options: str, typed: str = "") -> str:
        done = subprocess.run(
            ["bash", "-eu", *options, "-c", command],
            cwd=self.folder,
            env=self.env,
            input=typed,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (command, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    def _start(self, command: str, said: str) -> None:
        log = self.folder / f"running-{len(self.running)}.log"
        words = self._here(command)
        if command == "python -m worker metrics":
            words += f" --port {self.port('9108')}"
        self._end_the_former(words)
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", words],
                cwd=self.folder,
                env=self.env | {"FLOWER_PORT": str(self.port("5555")), "PYTHONUNBUFFERED": "1"},
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.running.append((command, process))
        wait_until(lambda: said in log.read_text() or process.poll() is not None, f"{command}: {said}")
        assert process.poll() is None, (command, log.read_text()[-3000:])

    def _end_the_former(self, words: str) -> None:
        """Press Ctrl-C where a relay runs already and another is to be started: the page says so in words."""
        if words.endswith(RELAY):
            for _, process in [one for one in self.running if self._here(one[0]).endswith(RELAY)]:
                self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        try:
            return process.wait(STOP_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _assignment(word: str) -> tuple[str, str, str]:
    return word.partition("=")
