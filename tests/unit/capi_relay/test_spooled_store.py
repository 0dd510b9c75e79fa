"""The store with a spool behind it: what it notes of a call before it goes to the disk."""

from contextlib import closing
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from capi_relay import spooled_store
from capi_relay.append import Append
from capi_relay.errors import InDoubt
from capi_relay.spool_file import SUFFIX, SpoolFile
from capi_relay.spooled_store import SpooledStore
from capi_relay.store import AppendStore


def test_a_call_is_in_doubt_since_it_began_however_long_the_process_was_stopped_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000_000]
    monkeypatch.setattr(spooled_store, "_now_ms", lambda: clock[0])
    store, patient = create_autospec(AppendStore), create_autospec(AppendStore)
    patient.append.side_effect = InDoubt("no answer")

    def stopped(_work: Append) -> None:
        clock[0] += 900_000
        raise InDoubt("no answer")

    store.append.side_effect = stopped
    with closing(SpooledStore(store, patient, tmp_path / "spool", cap_bytes=1_000_000)) as spooled:
        assert spooled.append(Append("1001", "call", 0, {"0": [(b"{}", b"}")]}))

    (path,) = (tmp_path / "spool").glob(f"*{SUFFIX}")
    file = SpoolFile.adopt(path)
    assert file is not None
    record = file.read()
    file.close()
    assert record is not None
    assert (record.doubt_ms, record.spooled_ms) == (1_000_000, 1_900_000)
