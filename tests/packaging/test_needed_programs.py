"""A test that needs a program of the system is skipped without it; in CI, which installs it, it fails."""

import pytest

from tests.fakes.system import needed

ABSENT = "a-program-that-nobody-has"


def test_a_program_that_is_there_is_found() -> None:
    assert needed("sh").endswith("/sh")


def test_without_the_program_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=f"{ABSENT} is not installed"):
        needed(ABSENT)


def test_in_ci_a_test_fails_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=f"{ABSENT} is not installed"):
        needed(ABSENT)
