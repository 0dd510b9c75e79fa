from typing import Any

import pytest

from worker.reports import as_issue, clean


def log_line(message: str = "dead letters written", /, **extra: object) -> dict[str, Any]:
    return {"logentry": {"message": message, "formatted": message}, "extra": extra}


def issue_of(**extra: object) -> list[str]:
    issue: list[str] = as_issue(clean(log_line(**extra)))["fingerprint"]
    return issue


@pytest.mark.parametrize("chance", ["events", "lane", "fbtrace_id", "why", "next_try_in_seconds", "missing"])
def test_what_differs_from_batch_to_batch_makes_no_issue_of_its_own(chance: str) -> None:
    cause = {"dataset_id": "1", "door": "rejected", "code": 100, "subcode": 2804050}

    assert issue_of(**cause, **{chance: "one"}) == issue_of(**cause, **{chance: "other"})


@pytest.mark.parametrize("cause", ["dataset_id", "door", "code", "subcode", "reason"])
def test_another_cause_is_another_issue(cause: str) -> None:
    assert issue_of(**{cause: "1"}) != issue_of(**{cause: "2"})


def test_a_dataset_whose_id_looks_like_a_phone_number_keeps_it_and_its_issue() -> None:
    one, other = ({"dataset_ids": [name, "999999999999"], "reason": "token"} for name in ("16505550199", "16505550198"))

    assert issue_of(**one) == ["dead letters written", "reason token", "dataset_id 16505550199"]
    assert issue_of(**one) != issue_of(**other)


def test_tags_are_the_facts_of_the_line_and_what_the_sdk_set_before() -> None:
    event = {**log_line(dataset_id="1", lane="1/0", code=190, subcode=None, fbtrace_id="AbC"), "tags": {"a": "b"}}

    assert as_issue(event)["tags"] == {"a": "b", "dataset_id": "1", "lane": "1/0", "code": "190", "fbtrace_id": "AbC"}


def test_an_exception_is_told_from_others_by_sentry_itself() -> None:
    event = {**log_line("a tick failed"), "exception": {"values": []}}

    assert "fingerprint" not in as_issue(event)
