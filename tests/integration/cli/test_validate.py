import time

import pytest

from tests.integration.cli.commands import DATASET, Site, bad, lead, lines


def test_good_events_are_valid_with_raw_personal_data_and_without_id_and_time(site: Site) -> None:
    event = {key: value for key, value in lead().items() if key not in {"event_id", "event_time"}}

    assert site.run("validate", site.file(lines(event, lead()))).stdout == "valid 2, invalid 0\n"


def test_a_bad_event_is_named_with_path_and_message(site: Site) -> None:
    said = site.run("validate", site.file(lines(lead(), bad())), code=1).stdout

    assert "event 2 (line 2): shop: " in said
    assert "valid 1, invalid 1" in said


def test_the_json_lists_problems_by_event(site: Site) -> None:
    found = site.json("validate", site.file(lines(lead(), bad())), code=1)
    (event,) = found["events"]

    assert (found["valid"], found["invalid"]) == (1, 1)
    assert (event["number"], event["line"], event["problems"][0]["path"]) == (2, 2, "shop")
    assert event["problems"][0].keys() == {"path", "code", "message"}


def test_what_is_no_event_is_invalid(site: Site) -> None:
    found = site.json("validate", "-", code=1, stdin='{"a": NaN}\n{"a": 1, "a": 2}\n')

    assert [event["problems"][0]["code"] for event in found["events"]] == ["undecodable", "undecodable"]


def test_a_value_that_is_left_out_is_a_warning_and_no_fault(site: Site) -> None:
    event = lead(user_data={"em": "ada@example.com", "ph": "not a number"})
    (told,) = site.json("validate", "-", stdin=lines(event))["events"]

    assert told["problems"] == []
    assert "user_data.ph" in told["warnings"][0]


def test_a_datasets_defaults_are_applied(site: Site) -> None:
    site.file(f'[[dataset]]\nid = "{DATASET}"\ndefault_country = "GB"\n', name="datasets.toml")
    event = lead(user_data={"ph": "020 7946 0123"})

    assert site.json("validate", "-", "--dataset", DATASET, stdin=lines(event))["events"] == []


@pytest.mark.parametrize(("age_seconds", "word"), [(8 * 86_400, "older"), (-3600, "future")])
def test_a_time_that_meta_would_not_take_today_is_a_warning(site: Site, age_seconds: int, word: str) -> None:
    (told,) = site.json("validate", "-", stdin=lines(lead(event_time=int(time.time()) - age_seconds)))["events"]

    assert word in told["warnings"][0]


def test_a_broken_document_exits_with_two(site: Site) -> None:
    assert "no JSON at line 2" in site.run("validate", site.file('[{"a": 1},\n {"a"}]'), code=2).stderr


def test_nothing_is_sent_and_no_store_is_needed(site: Site) -> None:
    site.run("validate", site.file(lines(lead())), env={"CAPI_REDIS_URL": "redis://127.0.0.1:1"})

    assert site.json("status")["totals"]["enqueued"] == 0
