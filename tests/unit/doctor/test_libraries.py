import pytest

from worker.doctor.libraries import installed, of_libraries


def test_what_is_installed_is_fine() -> None:
    assert {finding.level for finding in of_libraries(installed())} == {"ok"}


@pytest.mark.parametrize("name", ["kombu", "celery"])
def test_a_version_that_may_stop_consuming_is_a_problem_and_named(name: str) -> None:
    (finding,) = of_libraries({name: "5.6.9"})

    assert finding.level == "problem"
    assert finding.finding.startswith(f"{name} 5.6.9 is too old: it takes 5.7")


def test_a_version_that_nobody_has_tried_is_worth_a_warning() -> None:
    assert [finding.level for finding in of_libraries({"celery": "6.0.1", "redis": "9.0"})] == ["warning", "ok"]
