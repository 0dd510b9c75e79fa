"""``status --watch`` as a person and as a program see it: in a terminal of 80 columns, and in a pipe."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

import pytest

from tests.fakes.relay import ROOT
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead
from worker.cli.watch import Watch, watch
from worker.settings import load
from worker.store import Store

ESCAPE = "\x1b"
DEADLINE_SECONDS = 30


def read_until(descriptor: int, enough: Callable[[str], bool]) -> str:
    said, deadline = b"", time.monotonic() + DEADLINE_SECONDS
    while not enough(said.decode(errors="replace")):
        assert time.monotonic() < deadline, said
        if select.select([descriptor], [], [], 0.2)[0]:
            said += os.read(descriptor, 65_536)
    return said.decode(errors="replace")


def plain(said: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)


def start(site: Site, stdout: int, *words: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, **site.env, "TERM": "xterm"}
    command = [sys.executable, "-m", "worker", "status", "--watch", "--interval", "0.2", *words]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=stdout, stderr=subprocess.PIPE)


def stop(watching: subprocess.Popen[bytes]) -> None:
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=20)

    assert (watching.returncode, said) == (0, b"")


def test_a_terminal_of_80_columns_shows_it_in_place_as_it_changes(site: Site) -> None:
    site.enqueue(*(lead(str(number)) for number in range(3)))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    watching = start(site, theirs)
    os.close(theirs)
    try:
        first = read_until(ours, lambda said: said.count("dataset(s)") >= 2)
        site.work()
        later = read_until(ours, lambda said: re.search(r"all +0 ", plain(said)) is not None)
    finally:
        stop(watching)
        os.close(ours)
    lines = plain(first + later).replace("\r", "\n").splitlines()

    assert ESCAPE in first
    assert max(map(len, lines)) <= 80
    assert any(re.match(rf"{DATASET} +3 +0 ", line) for line in lines)


def test_a_pipe_gets_a_block_each_time_without_control_codes(site: Site) -> None:
    site.enqueue(lead())
    site.store.admin.pause(OTHER, reason="token", seconds=1800, code=190)
    watching = start(site, subprocess.PIPE, "--dataset", DATASET)
    assert watching.stdout is not None
    try:
        said = read_until(watching.stdout.fileno(), lambda text: text.count("dataset(s)") >= 3)
    finally:
        stop(watching)

    assert ESCAPE not in said
    assert f"\n{DATASET} " in said
    assert OTHER not in said


def test_dead_letters_are_told_by_cause_and_without_any_value(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.enqueue(bad("bad-1"), bad("bad-2"))
    site.work()
    watch_once(site, monkeypatch, site.store)
    said = capsys.readouterr().out

    assert "2  invalid: shop unknown" in said
    assert "north" not in said


def test_a_store_that_goes_away_leaves_the_last_numbers_with_a_remark(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in site.env.items():
        monkeypatch.setenv(name, value)
    store = Store(site.env["CAPI_REDIS_URL"])
    view = Watch(load(), store, [], [DATASET])
    view.read()
    store._connection.client.close()
    store._connection.client = Store("unix:///nonexistent.sock")._connection.client
    watch(view, interval_seconds=1, wait=interrupted)
    said = capsys.readouterr().out

    assert "Not of now: the event store could not run" in said
    assert f"{DATASET} " in said


def watch_once(site: Site, monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    for name, value in site.env.items():
        monkeypatch.setenv(name, value)
    watch(Watch(load(), store, [], []), interval_seconds=1, wait=interrupted)


def interrupted(_seconds: float) -> None:
    raise KeyboardInterrupt
