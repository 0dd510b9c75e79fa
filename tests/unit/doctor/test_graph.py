import json
from datetime import date

import pytest

from worker.answer import Answer, InDoubt, NotSent, Response
from worker.doctor.graph import of_graph_version, of_probe
from worker.outcome import classify

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("version", "today", "level"),
    [
        ("v23.0", TODAY, "ok"),
        ("v26.0", TODAY, "ok"),
        ("v21.0", TODAY, "warning"),
        ("v21.0", date(2027, 1, 21), "warning"),
        ("v21.0", date(2027, 1, 22), "problem"),
        ("v20.0", TODAY, "problem"),
        ("v12.0", TODAY, "problem"),
        ("v99.0", TODAY, "warning"),
    ],
)
def test_a_graph_version_is_judged_by_the_date(version: str, today: date, level: str) -> None:
    assert of_graph_version(version, today).level == level


def refused(code: int, subcode: int | None = None, status: int = 400) -> Answer:
    error = {"message": "m", "code": code, **({"error_subcode": subcode} if subcode else {})}
    return Response(status, {}, json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("answer", "level", "said"),
    [
        (refused(100, 2804019), "ok", "the token works"),
        (refused(100, 2804003), "ok", "the token works"),
        (refused(190, None, 401), "problem", "refuses the token (code 190)"),
        (refused(190, 463, 401), "problem", "refuses the token (code 190/463)"),
        (refused(200, None, 403), "problem", "a permission for this dataset is missing"),
        (refused(10, None, 403), "problem", "permission denied"),
        (refused(100, 33), "problem", "the dataset is missing, or the token may not write to it"),
        (refused(803, None, 404), "problem", "there is no dataset of this id"),
        (refused(4, None, 403), "warning", "limits the calls"),
        (refused(2, None, 500), "warning", "tells nothing of the token"),
        (refused(100), "warning", "tells nothing of the token"),
        (Response(200, {}, b'{"events_received": 1}'), "warning", "took an event that Meta refuses"),
        (NotSent("name lookup failed"), "problem", "name lookup failed"),
        (InDoubt("timed out"), "warning", "tells nothing of the token"),
    ],
)
def test_the_code_of_the_answer_says_what_is_wrong_with_a_token(answer: Answer, level: str, said: str) -> None:
    finding = of_probe("1001", classify(answer, 1))

    assert (finding.level, finding.subject) == (level, "dataset 1001")
    assert said in finding.finding
    assert finding.fix or level == "ok"
