"""The names of the keys: a shard's are in one slot of a cluster, and no two are alike."""

import inspect
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capi_relay import keys

BUILDERS: dict[str, Callable[..., str]] = {
    name: found
    for name, found in inspect.getmembers(keys, inspect.isfunction)
    if next(iter(inspect.signature(found).parameters)) == "shard" and not name.startswith("_")
}


def build(name: str, shard: int, what: str) -> str:
    needed = len(inspect.signature(BUILDERS[name]).parameters)
    return BUILDERS[name](*(shard, what, 7)[:needed])


def test_all_builders_are_known_here() -> None:
    assert set(BUILDERS) == {
        *("stream", "due", "held", "state", "dataset", "counters", "quality"),
        *("size", "datasets", "lanes", "paused", "slow", "dead", "seen", "call", "worker", "workers"),
    }


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_a_key_carries_the_format_version_and_its_shards_hash_tag(name: str) -> None:
    assert re.fullmatch(r"capi1:\{s7\}:.+", build(name, 7, "123"))


def test_no_two_builders_make_the_same_key() -> None:
    names = [build(name, 0, "123") for name in BUILDERS]

    assert len(set(names)) == len(names)


@given(st.text("0123456789", min_size=1, max_size=32), st.integers(1, 4096))
def test_a_dataset_has_one_shard_of_those_there_are(dataset_id: str, shards: int) -> None:
    assert 0 <= keys.shard_of(dataset_id, shards) < shards
    assert keys.shard_of(dataset_id, 1) == 0


@given(st.text("0123456789", min_size=1, max_size=32), st.sampled_from(["0", "31", "late", "store"]))
def test_a_lane_names_its_dataset(dataset_id: str, name: str) -> None:
    assert keys.dataset_of(keys.lane_of(dataset_id, name)) == dataset_id
