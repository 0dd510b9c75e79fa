"""The register, the samples of a reading, and the histograms they read."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.metrics.exposition import families_of
from worker.metrics.reading import Reading
from worker.metrics.register import ALL, NAMED_WORKERS, Metric
from worker.metrics.samples import _PAUSES, samples_of
from worker.quality import quality_of
from worker.store import DOORS, DatasetCounts, Memory, Pause, WorkerSign
from worker.store.histograms import AGE_SECONDS, DELIVERY_AGE, post_seconds

COUNTERS = {
    "enqueued": 9,
    "delivered": 4,
    "fresh": 3,
    "late": 1,
    "born_late": 1,
    "invalid": 2,
    "foreign": 1,
    "age:5": 4,
}


def counts(dataset_id: str, counters: Mapping[str, int] = COUNTERS) -> DatasetCounts:
    return DatasetCounts(
        dataset_id=dataset_id,
        now_ms=10_000,
        counters=counters,
        stored=3,
        in_flight=1,
        oldest_ms=4_000,
        dead_letters=2,
        pause=None,
        unseen_foreign=1,
        doors={door: counters.get(door, 0) for door in DOORS},
    )


def sign(name: str) -> WorkerSign:
    return WorkerSign(name, started_ms=1_000, slots=16, pumps=2, busy=1, rss_bytes=5, last_batch_ms=0)


def reading(*, workers: int = 1, hints: int | None = 2) -> Reading:
    return Reading(
        total=counts(""),
        oldest_age_seconds=6.0,
        oldest_unpaused_age_seconds=2.0,
        busiest=[counts("1001")],
        qualities={"1001": quality_of({"sampled": 1, "q:Lead:events": 1, "q:Lead:tenths": 55})},
        pauses={"1002": Pause("token", None)},
        datasets=2,
        lanes_due=3,
        memory=Memory(used_bytes=100, max_bytes=200, waiting_bytes=50, cap_bytes=160),
        workers=[sign(f"host:{number}") for number in range(workers)],
        hints=hints,
    )


def values(found: Reading) -> dict[str, float]:
    """Return every line of the exposition by its name and labels."""
    families = families_of(samples_of(found, scrape_seconds=0.5))
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_names_are_unique_and_say_whose_they_are() -> None:
    names = [metric.name for metric in ALL]

    assert len(names) == len(set(names))
    assert all(name.startswith("capi_") for name in names)
    assert all(metric.name.endswith("_total") == (metric.kind == "counter") for metric in ALL)


def test_every_metric_of_the_register_is_told_and_no_other() -> None:
    told = {sample.metric for sample in samples_of(reading(), scrape_seconds=0.5)}

    assert told == set(ALL)


def test_every_sample_has_the_labels_of_its_metric() -> None:
    assert all(len(each.labels) == len(each.metric.labels) for each in samples_of(reading(), scrape_seconds=0.5))


def test_no_series_is_told_twice() -> None:
    told = [(each.metric.name, each.labels) for each in samples_of(reading(workers=3), scrape_seconds=0.5)]

    assert len(told) == len(set(told))


def test_the_values_are_those_of_the_counts() -> None:
    found = values(reading())

    assert (found["capi_events_total delivered"], found["capi_events_total invalid"]) == (4, 2)
    assert (found["capi_foreign_total"], found["capi_waiting_events"], found["capi_in_flight_events"]) == (2, 2, 1)
    assert (found["capi_share_within_hour"], found["capi_dataset_match_quality 1001"]) == (1.0, 5.5)
    assert (found["capi_paused token"], found["capi_paused blocked"]) == (1, 0)
    assert (found["capi_oldest_age_seconds"], found["capi_oldest_unpaused_age_seconds"]) == (6.0, 2.0)
    assert (found["capi_dataset_paused 1002 token"], found["capi_dataset_oldest_age_seconds 1001"]) == (1, 6.0)


def test_buckets_are_cumulative_and_hold_every_event() -> None:
    found = values(reading())

    assert (found["capi_delivery_age_seconds_bucket 1"], found["capi_delivery_age_seconds_bucket 5"]) == (0, 4)
    assert found["capi_delivery_age_seconds_bucket +Inf"] == found["capi_delivery_age_seconds_count"] == 4


def test_without_a_broker_the_hints_are_not_told() -> None:
    assert "capi_hints_queued" not in values(reading(hints=None))


def test_many_workers_are_counted_and_not_all_named() -> None:
    found = values(reading(workers=NAMED_WORKERS + 1))

    assert found["capi_workers"] == NAMED_WORKERS + 1
    assert sum(name.startswith("capi_worker_slots ") for name in found) == NAMED_WORKERS


def test_every_reason_of_a_pause_has_a_series_before_the_first_pause() -> None:
    assert {f"capi_paused {reason}" for reason in _PAUSES} <= set(values(reading()))


@given(st.floats(-1e9, 1e9))
def test_a_time_falls_into_the_first_bucket_that_is_not_below_it(seconds: float) -> None:
    field = DELIVERY_AGE.field(seconds)
    buckets = dict(DELIVERY_AGE.read({field: 1}).cumulative)

    assert buckets["+Inf"] == 1
    assert all(buckets[f"{bound:g}"] == (seconds <= bound) for bound in AGE_SECONDS)


@given(
    st.dictionaries(st.sampled_from([post_seconds("Delivered").field(bound) for bound in (0, 1, 99)]), st.integers(0))
)
def test_a_histogram_never_falls(counters: dict[str, int]) -> None:
    counted = [count for _, count in post_seconds("Delivered").read(counters).cumulative]

    assert all(low <= high for low, high in pairwise(counted))
    assert counted[-1] == sum(counters.values())


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_has_a_unit_and_one_line_of_meaning(metric: Metric) -> None:
    assert metric.unit
    assert "\n" not in metric.meaning
