from pathlib import Path

from capi_relay.watched_file import WatchedFile


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_change_is_seen_after_a_second_and_not_before(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_text("old")
    file = WatchedFile(path, clock)
    first = file.look()
    path.write_text("new")
    clock.now += 0.9
    soon = file.look()
    clock.now += 0.1

    assert (first, soon, file.look()) == (b"old", b"old", b"new")


def test_an_unchanged_file_gives_the_same_object(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    path.write_bytes(b"x" * 100)
    file = WatchedFile(path, clock)
    first = file.look()
    clock.now += 5

    assert file.look() is first


def test_a_file_that_cannot_be_read_says_why_and_may_come_back(tmp_path: Path) -> None:
    path, clock = tmp_path / "token", Clock()
    file = WatchedFile(path, clock)
    missing = file.look(), file.problem
    path.write_text("here")
    clock.now += 1

    assert missing == (None, "No such file or directory")
    assert (file.look(), file.problem) == (b"here", None)
