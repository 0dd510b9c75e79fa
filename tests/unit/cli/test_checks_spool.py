from pathlib import Path

import pytest

from capi_relay.spool_status import SpoolStatus
from worker.cli.checks_spool import findings_of_status, of_spool


def levels(status: SpoolStatus) -> list[str]:
    return [finding.level for finding in findings_of_status("/spool", status)]


def test_nothing_is_said_where_there_is_no_spool() -> None:
    assert list(of_spool({})) == []


def test_a_directory_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    (finding,) = of_spool({"CAPI_SPOOL_DIR": str(tmp_path / "spool")})

    assert (finding.level, finding.finding.endswith("is not there yet: nothing was spooled")) == ("ok", True)


def test_an_empty_directory_is_fine(tmp_path: Path) -> None:
    (finding,) = of_spool({"CAPI_SPOOL_DIR": str(tmp_path)})

    assert (finding.level, finding.finding) == ("ok", f"nothing waits in {tmp_path}")


def test_a_file_in_its_place_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (finding,) = of_spool({"CAPI_SPOOL_DIR": str(tmp_path / "file")})

    assert (finding.level, finding.finding.endswith("cannot be read: Not a directory")) == ("warning", True)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (SpoolStatus(2, 1000, 5.0, 0), ["ok"]),
        (SpoolStatus(2, 1000, 500.0, 0), ["warning"]),
        (SpoolStatus(0, 0, 0.0, 1), ["ok", "warning"]),
    ],
)
def test_what_has_waited_for_long_and_what_is_damaged_are_warnings(status: SpoolStatus, expected: list[str]) -> None:
    assert levels(status) == expected
