"""The spool's files: whatever happens to them, what comes out is what went in."""

import errno
import os
import resource
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capi_relay import spool_file
from capi_relay.append import Append
from capi_relay.errors import InDoubt, LaneFull, MisconfiguredError, Overloaded
from capi_relay.spool import Spool
from capi_relay.spool_drain import Drain
from capi_relay.spool_file import CorruptRecordError, SpoolFile
from capi_relay.spool_record import PREFIX, Spooled, decode, encode
from capi_relay.spool_status import SpoolStatus, spool_status

HEADER_BYTES = 20
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def record(name: str = "call", size_bytes: int = 10, doubt_ms: int = 0) -> Spooled:
    work = Append("1001", name, 5000, {"0": [(b"e" * size_bytes, b"}")], "late": [(b"{}", b',"w":["x"]}')]})
    return Spooled(work, 1_700_000_000_000, doubt_ms)


RECORDS = st.builds(
    Spooled,
    st.builds(
        Append,
        st.sampled_from(["1001", "2002"]),
        st.text("0123456789abcdef", min_size=1, max_size=8),
        st.integers(0, 10_000),
        st.dictionaries(
            st.sampled_from(["0", "1", "late"]),
            st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=9)), max_size=3),
        ),
    ),
    st.integers(0, 2**42),
    st.integers(0, 2**42),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    with closing(Spool(folder, cap_bytes=1_000_000)) as found:
        yield found


def spooled_file(folder: Path, records: list[Spooled]) -> Path:
    """Write a file as a process does that then dies."""
    folder.mkdir(exist_ok=True)
    file = SpoolFile.create(folder)
    for each in records:
        file.sync(file.write(encode(each)))
    file.close()
    return file.path


def read_all(path: Path) -> tuple[list[Spooled], bool]:
    """Return what a file yields until its end, and whether the end is a corrupt one."""
    file = SpoolFile.adopt(path)
    assert file
    found = []
    try:
        while each := file.read():
            found.append(each)
            file.advance()
    except CorruptRecordError:
        return found, True
    finally:
        file.close()
    return found, False


def drained_by(spool: Spool) -> list[str]:
    calls: list[str] = []
    drain = Drain(spool, lambda work: calls.append(work.call_id))

    assert drain.run(5)
    return calls


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(each: Spooled) -> None:
    assert decode(encode(each)[PREFIX.size :]) == each


@given(st.lists(RECORDS, max_size=4), st.data())
@one_folder
def test_of_a_file_that_was_cut_anywhere_the_whole_records_are_read(
    tmp_path: Path, records: list[Spooled], data: st.DataObject
) -> None:
    path = spooled_file(tmp_path / "spool", records)
    ends = [HEADER_BYTES]
    for each in records:
        ends.append(ends[-1] + len(encode(each)))
    cut = data.draw(st.integers(0, ends[-1]))
    os.truncate(path, cut)
    whole = sum(end <= cut for end in ends[1:])

    assert read_all(path) == (records[:whole], cut > HEADER_BYTES and cut not in ends)
    path.unlink()


@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
@one_folder
def test_a_flipped_byte_yields_no_record_that_was_not_written(
    tmp_path: Path, records: list[Spooled], data: st.DataObject
) -> None:
    path = spooled_file(tmp_path / "spool", records)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    end, before = HEADER_BYTES, 0
    while place >= end:
        end += len(encode(records[before]))
        before += 1
    found, is_corrupt = read_all(path)

    # Only the header's bytes can be restored: without it, reading begins at the first record.
    assert (found, is_corrupt) == ((records, False) if place < HEADER_BYTES else (records[: before - 1], True))
    path.unlink()


def test_a_tail_of_zeros_is_no_record(folder: Path) -> None:
    path = spooled_file(folder, [record("a")])
    os.truncate(path, path.stat().st_size + 4096)

    assert read_all(path) == ([record("a")], True)


def test_directory_and_files_are_for_this_user_alone(spool: Spool, folder: Path) -> None:
    spool.append(record())
    (path,) = folder.iterdir()

    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, path)] == [0o700, 0o600]


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_directory_that_others_may_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(MisconfiguredError, match="others may write"):
        Spool(folder, cap_bytes=1000)


def test_a_directory_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    with pytest.raises(MisconfiguredError, match="another user"):
        Spool(folder, cap_bytes=1000)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MisconfiguredError, match="cannot be made: Not a directory"):
        Spool(tmp_path / "file" / "spool", cap_bytes=1000)


def test_what_is_drained_is_gone(spool: Spool, folder: Path) -> None:
    for name in ("a", "b", "c"):
        spool.append(record(name))

    assert drained_by(spool) == ["a", "b", "c"]
    assert list(folder.iterdir()) == []


def test_a_file_is_drained_from_where_it_was_left(spool: Spool, folder: Path) -> None:
    calls: list[str] = []

    def append(work: Append) -> None:
        if work.call_id == "c":
            raise Overloaded("full")
        calls.append(work.call_id)

    path = spooled_file(folder, [record("a"), record("b"), record("c")])

    assert not Drain(spool, append).run(0.05)
    assert calls == ["a", "b"]
    spool.close()
    assert read_all(path) == ([record("c")], False)


def test_a_file_of_a_living_process_is_left_alone(spool: Spool, folder: Path) -> None:
    with closing(Spool(folder, cap_bytes=1_000_000)) as other:
        other.append(record("theirs"))

        assert drained_by(spool) == []
    assert drained_by(spool) == ["theirs"]


def test_a_file_that_was_just_removed_by_another_is_not_adopted(folder: Path) -> None:
    path = spooled_file(folder, [record()])
    held = os.open(path, os.O_RDWR)
    path.unlink()

    assert not spool_file._lock(held, path)
    assert SpoolFile.adopt(path) is None
    os.close(held)


def test_a_torn_file_is_drained_up_to_there_and_kept_aside(
    spool: Spool, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = spooled_file(folder, [record("a"), record("b")])
    os.truncate(path, path.stat().st_size - 1)

    assert drained_by(spool) == ["a"]
    assert [each.name for each in folder.iterdir()] == [path.with_suffix(".corrupt").name]
    assert "cannot be read; it is kept as" in caplog.text


def test_a_file_of_another_version_is_left_alone(spool: Spool, folder: Path) -> None:
    (folder / "1-2.spool2").write_bytes(b"what a later version writes")

    assert drained_by(spool) == []
    assert (folder / "1-2.spool2").exists()


def test_a_full_spool_refuses_and_goes_on_when_there_is_room(folder: Path) -> None:
    with closing(Spool(folder, cap_bytes=1000)) as spool:
        spool.append(record("a", 600))
        with pytest.raises(Overloaded, match="the spool is full"):
            spool.append(record("b", 600))

        assert drained_by(spool) == ["a"]
        spool.append(record("b", 600))
        assert drained_by(spool) == ["b"]


def test_the_cap_is_one_for_all_processes(folder: Path) -> None:
    with closing(Spool(folder, cap_bytes=1000)) as first, closing(Spool(folder, cap_bytes=1000)) as second:
        first.append(record("a", 600))

        with pytest.raises(Overloaded, match="the spool is full"):
            second.append(record("b", 600))


def test_a_disk_that_takes_half_a_record_leaves_none_of_it(spool: Spool, folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    spool.append(record("a", 100))
    size = next(folder.iterdir()).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, hard))
    try:
        with pytest.raises(Overloaded, match="the spool cannot be written: File too large"):
            spool.append(record("b", 5000))
        after = next(folder.iterdir()).stat().st_size
        spool.append(record("c", 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    assert after == size
    assert drained_by(spool) == ["a", "c"]
    assert list(folder.iterdir()) == []


def failing(error: int, *, after: int = 0) -> Callable[[int], None]:
    """Return a sync that fails from a call on."""
    calls = iter(range(1_000))

    def sync(descriptor: int) -> None:
        if next(calls) >= after:
            raise OSError(error, os.strerror(error))
        os.fsync(descriptor)

    return sync


def test_what_no_sync_has_confirmed_is_taken_back(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append(record("a"))
    with monkeypatch.context() as patched:
        patched.setattr(spool_file, "_sync_data", failing(errno.EIO))
        with pytest.raises(Overloaded, match="the spool cannot be written: Input/output error"):
            spool.append(record("b"))
    spool.append(record("c"))

    assert drained_by(spool) == ["a", "c"]


def test_a_directory_that_is_gone_refuses_and_says_so(spool: Spool, folder: Path) -> None:
    folder.rmdir()

    with pytest.raises(Overloaded, match="the spool cannot be written: No such file or directory"):
        spool.append(record())
    assert not spool.has_files()


def test_threads_that_come_together_share_syncs(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = 0
    may_go = threading.Event()

    def slow(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        may_go.wait(5)
        os.fsync(descriptor)

    monkeypatch.setattr(spool_file, "_sync_data", slow)
    threads = [threading.Thread(target=spool.append, args=(record(str(n)),)) for n in range(50)]
    for thread in threads:
        thread.start()
    written_bytes = HEADER_BYTES + sum(len(encode(record(str(n)))) for n in range(50))
    stop = time.monotonic() + 5
    while (spool._writing is None or spool._writing.end < written_bytes) and time.monotonic() < stop:
        time.sleep(0.001)
    may_go.set()
    for thread in threads:
        thread.join(5)

    assert syncs <= 2
    assert sorted(drained_by(spool), key=int) == [str(n) for n in range(50)]


def test_a_record_whose_lane_is_full_lets_the_others_pass(spool: Spool, folder: Path) -> None:
    calls: list[str] = []

    def append(work: Append) -> None:
        if work.call_id == "a" and not calls:
            raise LaneFull("full")
        calls.append(work.call_id)

    path = spooled_file(folder, [record("a"), Spooled(Append("2002", "b", 0, {}), 1), record("c")])

    assert Drain(spool, append).run(5)
    assert calls == ["b", "a", "c"]
    assert not path.exists()


def test_in_a_full_spool_too_a_full_lane_lets_the_others_pass(folder: Path) -> None:
    calls: list[str] = []

    def append(work: Append) -> None:
        if work.call_id == "a" and not calls:
            raise LaneFull("full")
        calls.append(work.call_id)

    spooled_file(folder, [record("a"), Spooled(Append("2002", "b", 0, {}), 1)])
    with closing(Spool(folder, cap_bytes=1)) as spool:
        assert Drain(spool, append).run(5)

    assert calls == ["b", "a"]


def test_only_what_was_in_doubt_for_long_counts_as_possibly_stored_again(spool: Spool, folder: Path) -> None:
    now_ms = int(time.time() * 1000)
    doubts = {"never": 0, "just now": now_ms - 60_000, "long ago": now_ms - 600_000, "in future": now_ms + 60_000}
    spooled_file(folder, [record(name, doubt_ms=doubt_ms) for name, doubt_ms in doubts.items()])
    again: dict[str, bool] = {}

    assert Drain(spool, lambda work: again.update({work.call_id: work.possibly_again})).run(5)
    assert again == {"never": False, "just now": False, "long ago": True, "in future": True}


def test_a_doubt_of_the_drain_itself_outlives_the_process(spool: Spool, folder: Path) -> None:
    def append(work: Append) -> None:
        if work.call_id == "b":
            raise InDoubt("no answer")

    path = spooled_file(folder, [record("a"), record("b"), record("c")])
    began_ms = int(time.time() * 1000)

    assert not Drain(spool, append).run(0.05)
    spool.close()
    file = SpoolFile.adopt(path)
    assert file is not None
    assert (file.read(), file.doubt_ms >= began_ms) == (record("b"), True)
    file.advance()
    assert (file.read(), file.doubt_ms) == (record("c"), 0)
    file.close()


def test_the_status_says_what_waits(spool: Spool, folder: Path) -> None:
    assert spool_status(folder) == SpoolStatus(0, 0, 0.0, 0)
    spool.append(record("a"))
    (folder / "1.corrupt").touch()
    found = spool_status(folder)

    assert (found.files, found.size_bytes, found.corrupt_files) == (1, len(encode(record("a"))), 1)
    assert found.oldest_seconds > 60


def test_a_call_during_which_the_process_ends_is_in_doubt_and_one_that_was_refused_is_not(
    spool: Spool, folder: Path
) -> None:
    doubts: list[int] = []

    def append(work: Append) -> None:
        file = SpoolFile(path, os.open(path, os.O_RDONLY))  # what the next process would find
        doubts.append(file.doubt_ms)
        file.close()
        if work.call_id == "b":
            raise Overloaded("full")

    path = spooled_file(folder, [record("a"), record("b")])
    began_ms = int(time.time() * 1000)

    assert not Drain(spool, append).run(0.05)
    spool.close()
    assert min(doubts) >= began_ms
    file = SpoolFile.adopt(path)
    assert file is not None
    assert (file.read(), file.doubt_ms) == (record("b"), 0)
    file.close()
