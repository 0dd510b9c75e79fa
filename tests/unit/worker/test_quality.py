"""What a sample of delivered events says of match quality and warnings."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from schemas.lint_codes import LINT_MESSAGES
from tests.fakes.events import lead, mixed, page_view, purchase
from worker.datasets import Dataset
from worker.intake import Sendable
from worker.quality import count_sample, fields_of, places, quality_of
from worker.store import Entry, Store

NOW = 1_700_000_100
META = b'{"v":1,"t":1700000000000}'
WARNED = b'{"v":1,"t":1700000000000,"w":["user_data.ph: left out: no number","user_data.email: sent as em"]}'


def entry(event: Any, meta: bytes = META) -> Entry:  # noqa: ANN401 - JSON, or bytes that are none
    return Entry("1-0", event if isinstance(event, bytes) else json.dumps(event).encode(), meta)


def fields(*entries: Entry, domains: tuple[str, ...] = (), test_mode: bool = False) -> Counter[str]:
    return fields_of(entries, now=NOW, domains=domains, test_mode=test_mode)


def test_a_full_batch_gives_five_samples_evenly_spaced() -> None:
    assert list(places(1000, 0.5)) == [100, 300, 500, 700, 900]


@given(events=st.integers(1, 1000), start=st.floats(0, 1, exclude_max=True))
def test_each_batch_gives_one_sample_at_least_and_five_at_most(events: int, start: float) -> None:
    found = places(events, start)

    assert 1 <= len(found) <= 5
    assert found[0] >= 0
    assert found[-1] < events


def test_every_event_of_a_small_batch_may_be_the_sample() -> None:
    assert {places(3, start)[0] for start in (0.0, 0.4, 0.9)} == {0, 1, 2}


def test_warnings_are_counted_once_an_event_with_the_producers() -> None:
    event = purchase("a", NOW, user_data={"client_ip_address": "10.0.0.1", "em": ["0" * 64], "fbp": "x"})
    counted = fields(entry(event), entry(event, WARNED))

    assert {name: count for name, count in counted.items() if name.startswith("w:")} == {
        "w:private_ip": 2,
        "w:malformed_fbp": 2,
        "w:website_without_user_agent": 2,
        "w:left_out": 1,
        "w:changed": 1,
    }


def test_the_datasets_domains_and_test_mode_are_heard() -> None:
    counted = fields(entry(page_view("a", NOW)), domains=("other.example",), test_mode=True)

    assert (counted["w:url_off_domains"], counted["w:test_event_code"]) == (1, 1)


def test_the_quality_of_each_event_name_can_be_read_again() -> None:
    with_em = {"em": ["0" * 64]}
    found = quality_of(
        fields(
            *(entry(purchase(str(n), NOW, user_data=with_em)) for n in range(3)),
            entry(lead("b", NOW)),
            entry(purchase("c", NOW, user_data={"fbp": "fb.1.1700000000123.1"})),
        )
    )

    assert found.sampled == 5
    assert [(each.event_name, each.events) for each in found.names] == [("Purchase", 4), ("Lead", 1)]
    assert found.names[0].advice == "`ph` is missing in 100 % of Purchase"
    assert found.names[0].score == pytest.approx((3 * 3 + 0.5) / 4, abs=0.051)
    assert found.overall.events == 5


def test_the_most_frequent_warning_stands_first() -> None:
    bare = entry(page_view("a", NOW, user_data={"fbp": "x"}))
    found = quality_of(fields(bare, entry(page_view("b", NOW, user_data={"em": ["0" * 64]}))))

    assert list(found.warnings.items()) == [("website_without_user_agent", 2), ("malformed_fbp", 1)]


def test_names_that_are_none_of_metas_share_one_place() -> None:
    found = quality_of(fields(*(entry(purchase("a", NOW, event_name=f"Custom{n}")) for n in range(9))))

    assert [(each.event_name, each.events) for each in found.names] == [("(other names)", 9)]


def test_bytes_that_only_metas_parser_takes_are_passed_over() -> None:
    assert fields(entry(b'{"a":1,"a":2}')) == Counter()


def test_the_names_of_the_numbers_are_few_whatever_is_delivered() -> None:
    counted = fields(*(entry(event) for event in mixed(500, seed=3, now=NOW)))

    assert len(counted) < 200
    assert {name[2:] for name in counted if name.startswith("w:")} <= {*LINT_MESSAGES, "left_out", "changed"}


def test_nothing_is_read_from_nothing() -> None:
    found = quality_of({})

    assert (found.sampled, found.names, dict(found.warnings)) == (0, (), {})


def test_a_fault_in_the_counting_is_logged_and_no_more() -> None:
    sent = Sendable(entry(page_view("a", NOW)), NOW, NOW * 1000, "PageView", "a")
    broken = Dataset("1", None, None, None, 5, 1, 0, "resend", None, domains=(None,))  # type: ignore[arg-type] # a fault
    with capture_logs() as logged:
        count_sample(Store("redis://127.0.0.1:1"), broken, [sent])

    assert [(line["log_level"], line["error"]) for line in logged] == [("warning", "AttributeError")]
