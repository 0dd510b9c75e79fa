import json
import time
from typing import Any

import pytest

from tests.fakes.events import digest, page_view, purchase
from tests.integration.cli.commands import DATASET, OTHER, Site, bad, lead, lines


def reports(site: Site, *words: str, code: int = 0, stdin: str = "") -> list[dict[str, Any]]:
    said = site.run("validate", *words, "--json", code=code, stdin=stdin).stdout
    return [json.loads(line) for line in said.splitlines()]


def codes(report: dict[str, Any], part: str = "warnings") -> list[tuple[str, str]]:
    return [(each["path"], each["code"]) for each in report[part]]


def words_of(text: str) -> str:
    return " ".join(text.split())


def test_good_events_are_valid_with_raw_personal_data_and_without_id_and_time(site: Site) -> None:
    event = {key: value for key, value in lead().items() if key not in {"event_id", "event_time"}}

    assert "valid 2, invalid 0\n" in site.run("validate", site.file(lines(event, lead()))).stdout


def test_a_bad_event_is_named_with_path_and_message(site: Site) -> None:
    said = site.run("validate", site.file(lines(lead(), bad())), code=1).stdout

    assert "event 2 (line 2): shop: " in said
    assert "valid 1, invalid 1" in said


def test_the_json_is_one_object_an_event_each_on_a_line(site: Site) -> None:
    good, refused = reports(site, site.file(lines(lead(), bad())), code=1)

    assert list(good) == ["index", "valid", "errors", "warnings", "match_quality", "event"]
    assert (good["index"], good["valid"], good["errors"]) == (0, True, [])
    assert (refused["index"], refused["valid"], refused["errors"][0]["path"]) == (1, False, "shop")
    assert refused["errors"][0].keys() == {"path", "code", "message"}


def test_the_event_is_shown_as_it_would_be_sent(site: Site) -> None:
    (told,) = reports(site, "-", stdin=lines(lead()))

    assert "ada@example.com" not in json.dumps(told)
    assert len(told["event"]["user_data"]["em"]) == 64
    assert told["match_quality"] == 3.0


def test_what_is_no_event_is_invalid(site: Site) -> None:
    found = reports(site, "-", code=1, stdin='{"a": NaN}\n{"a": 1, "a": 2}\n')

    assert [(each["index"], each["event"]) for each in found] == [(0, None), (1, None)]
    assert [codes(each, "errors") for each in found] == [[("", "undecodable")]] * 2


def test_a_value_that_is_left_out_is_a_warning_and_no_fault(site: Site) -> None:
    event = lead(user_data={"em": "ada@example.com", "ph": "not a number"})
    (told,) = reports(site, "-", stdin=lines(event))

    assert (told["valid"], codes(told)) == (True, [("user_data.ph", "left_out")])


def test_a_datasets_settings_are_applied(site: Site) -> None:
    site.file(
        f"""
        [[dataset]]
        id = "{DATASET}"
        default_country = "GB"
        coerce_times = true
        match_variants = true
        domains = ["shop.example"]
        test_event_code = "TEST1"
        data_processing_options = ["LDU"]
        data_processing_options_country = 0
        data_processing_options_state = 0
        """,
        name="datasets.toml",
    )
    now = int(time.time())
    event = page_view(event_time=now, user_data={"ph": "020 7946 0123", "fn": "Val\u00e9ry", "client_user_agent": "M"})
    (told,) = reports(site, "-", "--dataset", DATASET, stdin=lines(event | {"event_time": now * 1000}))

    assert told["valid"]
    assert (told["event"]["event_time"], told["event"]["data_processing_options"]) == (now, ["LDU"])
    assert "ph" in told["event"]["user_data"]
    assert len(told["event"]["user_data"]["fn"]) == 2
    assert [code for _, code in codes(told)] == ["changed", "url_off_domains", "test_event_code"]


def test_an_event_of_its_own_dataset_has_that_ones_settings(site: Site) -> None:
    site.file(f'[[dataset]]\nid = "{OTHER}"\ndefault_country = "GB"\n', name="datasets.toml")
    event = lead(user_data={"em": "ada@example.com", "ph": "020 7946 0123"})
    file = site.file(lines({"dataset_id": OTHER, "event": event}, {"dataset_id": DATASET, "event": event}))
    other, plain = (each["event"]["user_data"].get("ph") for each in reports(site, file))

    assert other == digest("442079460123")
    assert plain is None  # without a country it is left out


@pytest.mark.parametrize(("age_seconds", "code"), [(8 * 86_400, "too_old"), (-3600, "in_the_future")])
def test_a_time_that_meta_would_not_take_today_has_the_rejects_code(site: Site, age_seconds: int, code: str) -> None:
    (told,) = reports(site, "-", code=1, stdin=lines(lead(event_time=int(time.time()) - age_seconds)))

    assert (told["valid"], codes(told)) == (True, [("event_time", code)])


def test_what_meta_would_not_take_today_is_counted_apart(site: Site) -> None:
    now = int(time.time())
    file = site.file(lines(lead(), bad(), *(lead(event_time=now - days * 86_400) for days in (8, 9, -1))))
    said = site.run("validate", file, code=1).stdout

    assert "valid 1, invalid 1, too old to be taken now: 2, in the future, not taken now: 1\n" in said


def test_the_first_events_are_told_and_all_are_counted(site: Site) -> None:
    file = site.file(lines(*(bad(str(number)) for number in range(30))))
    said = site.run("validate", file, "--show", "3", code=1).stdout

    assert said.count("(line ") == 3
    assert "unknown_key 30 1 shop: " in words_of(said)


def test_the_summary_counts_warnings_by_code_and_says_what_to_add_first(site: Site) -> None:
    web = [purchase(f"p{number}", user_data={"em": "ada@example.com"}) for number in range(4)]
    said = site.run("validate", site.file(lines(*web))).stdout

    assert "website_without_user_agent 4 1 user_data.client_user_agent: " in words_of(said)
    assert "- Purchase 4 3.0 `ph` is missing in 100 % of Purchase" in words_of(said)


def test_what_only_shows_over_many_events_is_told_with_their_numbers(site: Site) -> None:
    now = int(time.time())
    events = [purchase("cart-7", event_time=now - number) for number in range(5)]
    said = site.run("validate", site.file("no event\n" + lines(*events)), code=1).stdout

    assert "event_id_reused: event_id: " in said
    assert "first on events 2, 3, 4)" in said


def test_no_control_character_of_an_event_reaches_the_terminal(site: Site) -> None:
    event = lead(event_name="\x1b[31mRed")

    assert "\x1b" not in site.run("validate", site.file(lines(event))).stdout
    assert "\x1b" not in site.run("validate", site.file(lines(event)), "--json").stdout


def test_a_broken_document_exits_with_two(site: Site) -> None:
    assert "no JSON at line 2" in site.run("validate", site.file('[{"a": 1},\n {"a"}]'), code=2).stderr


def test_nothing_is_sent_and_no_store_is_needed(site: Site) -> None:
    site.run("validate", site.file(lines(lead())), env={"CAPI_REDIS_URL": "redis://127.0.0.1:1"})

    assert site.json("status")["totals"]["enqueued"] == 0
