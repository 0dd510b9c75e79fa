"""What the producer makes of an event: times, readings and the dataset's own word, in the bytes that will be sent."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from capi_relay.datasets import DatasetDefaults, DatasetFile
from capi_relay.errors import InvalidEvent
from capi_relay.hashing import sha256_hex
from capi_relay.prepare import prepare
from capi_relay.producer import Producer
from tests.fakes.events import mixed, raw_purchase

NOW = 1_800_000_000.5
PLAIN = DatasetDefaults("1")
MILLISECONDS = {"event_name": "Lead", "event_id": "1", "event_time": 1_700_000_000_123}
ZOE = {"event_name": "Lead", "event_id": "1", "user_data": {"fn": "Zoé"}}
BOTH = [sha256_hex("zoé"), sha256_hex("zoe")]


def sent(event: dict[str, Any], defaults: DatasetDefaults = PLAIN, **options: bool) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(prepare(event, defaults, now=NOW, **options).encoded)
    return found


def test_what_is_prepared_is_what_is_encoded() -> None:
    for event in mixed(50, seed=1):
        prepared = prepare(event, PLAIN, now=NOW)

        assert json.loads(prepared.encoded) == prepared.event


def test_the_event_given_is_never_changed() -> None:
    event = raw_purchase(1) | {"event_time": "1700000000", "original_event_data": {"event_time": "1700000000"}}
    before = copy.deepcopy(event)

    prepare(event, PLAIN, now=NOW, coerce_times=True, match_variants=True)

    assert event == before


def test_preparing_twice_is_preparing_once() -> None:
    for event in mixed(50, seed=2):
        once = prepare(event, PLAIN, now=NOW, coerce_times=True, match_variants=True)

        assert prepare(once.event, PLAIN, now=NOW, coerce_times=True, match_variants=True).encoded == once.encoded


def test_an_event_without_time_and_id_gets_them() -> None:
    event = sent({"event_name": "Lead", "event_time": None})

    assert event["event_time"] == 1_800_000_000
    assert len(event["event_id"]) == 32


def test_digits_in_quotes_are_a_time_also_that_of_the_earlier_event() -> None:
    event = sent({"event_time": "1700000000", "original_event_data": {"event_time": "1690000000", "order_id": "7"}})

    assert event["event_time"] == 1_700_000_000
    assert event["original_event_data"] == {"event_time": 1_690_000_000, "order_id": "7"}


def test_an_earlier_event_without_a_time_gets_none() -> None:
    assert sent({"original_event_data": {"order_id": "7"}})["original_event_data"] == {"order_id": "7"}


@pytest.mark.parametrize("earlier", ["x", [1], {"event_time": None}])
def test_odd_data_of_an_earlier_event_stays_for_the_schema(earlier: object) -> None:
    assert sent({"original_event_data": earlier})["original_event_data"] == earlier


def test_coerce_times_converts_both_and_warns_with_their_paths() -> None:
    event = {"event_time": 1_700_000_000_123, "original_event_data": {"event_time": "2023-11-14T22:13:20Z"}}
    prepared = prepare(event, PLAIN, now=NOW, coerce_times=True)

    assert prepared.event["event_time"] == prepared.event["original_event_data"]["event_time"] == 1_700_000_000
    assert [warning.partition(": ")[0] for warning in prepared.warnings] == [
        "event_time",
        "original_event_data.event_time",
    ]


def test_a_datetime_is_refused_without_coerce_times_and_taken_with_it() -> None:
    event = {"event_time": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}

    assert sent(event, coerce_times=True)["event_time"] == 1_700_000_000
    with pytest.raises(InvalidEvent, match="event_time"):
        sent(event)


@pytest.mark.parametrize(
    ("said", "default", "converted"), [(None, True, True), (False, True, False), (True, False, True)]
)
def test_what_the_dataset_says_wins_over_the_producer(said: bool | None, default: bool, converted: bool) -> None:  # noqa: FBT001 - table
    defaults = DatasetDefaults("1", coerce_times=said, match_variants=said)
    options = {"coerce_times": default, "match_variants": default}

    assert (sent(MILLISECONDS, defaults, **options)["event_time"] == 1_700_000_000) is converted
    assert (sent(ZOE, defaults, **options)["user_data"]["fn"] == BOTH) is converted


def test_an_address_in_any_text_is_removed_and_the_receipt_has_the_id_that_is_sent() -> None:
    event = {"event_name": "Lead", "event_id": "ada@example.com/7", "custom_data": {"note": "ask bob@example.org"}}
    prepared = prepare(event, PLAIN, now=NOW)

    assert b"ada" not in prepared.encoded
    assert b"@" not in prepared.encoded
    assert len(prepared.warnings) == 2


def test_ids_with_an_address_in_them_stay_different_and_the_same_each_time() -> None:
    given = ["ada@example.com-1", "ada@example.com-2", "bob@example.com-1", "ada@example.com-1"]
    first, second, third, again = (sent({"event_name": "Lead", "event_id": each})["event_id"] for each in given)

    assert len({first, second, third}) == 3
    assert again == first


@pytest.mark.parametrize("event", [[], None, "event", 7])
def test_what_is_no_mapping_is_refused(event: Any) -> None:  # noqa: ANN401 - odd on purpose
    with pytest.raises(InvalidEvent):
        prepare(event, PLAIN, now=NOW)


def test_a_number_that_json_cannot_carry_is_refused_before_anything_reads_it() -> None:
    with pytest.raises(InvalidEvent, match="event_id"):
        prepare({"event_id": 10**5000}, PLAIN, now=NOW)


def test_a_decimal_time_is_an_integer() -> None:
    assert sent({"event_time": Decimal(1_700_000_000)})["event_time"] == 1_700_000_000


def test_the_producer_hands_its_options_on() -> None:
    producer = Producer("redis://127.0.0.1:1", coerce_times=True, match_variants=True)

    ready = producer._prepare(MILLISECONDS | ZOE, PLAIN)

    assert json.loads(ready.event)["event_time"] == 1_700_000_000
    assert json.loads(ready.event)["user_data"]["fn"] == BOTH
    assert len(ready.receipt.warnings) == 1


def test_a_dataset_says_its_options_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "datasets.toml"
    path.write_text(
        '[[dataset]]\nid = "1"\ncoerce_times = true\nmatch_variants = true\ndomains = ["shop.example"]\n'
        '[[dataset]]\nid = "2"\ncoerce_times = false\n'
    )
    file = DatasetFile(path)

    assert file.get("1") == DatasetDefaults("1", coerce_times=True, match_variants=True)
    assert file.get("2") == DatasetDefaults("2", coerce_times=False)
    assert file.tables()["1"]["domains"] == ["shop.example"]
