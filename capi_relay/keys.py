"""The name of every Redis key: spelled here once, with its type.

All keys of a shard carry the hash tag ``{s<shard>}``, so that each script touches one slot only. The version of the
stored format is in the prefix. A *lane* is ``<dataset_id>/<name>``: named ``0`` .. ``n-1``, ``late`` or ``store``.

=====================  ======  ======================================================================================
key                    type    content
=====================  ======  ======================================================================================
``capi1:shards``       string  how many shards this installation has; everyone who connects checks it
``...:q:<lane>``       stream  the events: field ``e`` = the bytes that are sent, ``m`` = what we add
``...:due``            zset    lane -> ms when it becomes worth taking
``...:held``           zset    lane -> ms until which nobody may take it (lease, backoff or pause)
``...:st:<lane>``      hash    the lane's lease token, tries, deaths and marks
``...:ds:<dataset>``   hash    the dataset's pause and the batch size learnt for it
``...:cnt:<dataset>``  hash    counters: enqueued, replayed, foreign, every door, fresh, late ...
``...:quality:<ds>``   hash    what samples of the dataset's delivered events lacked
``...:size``           hash    ``n:<lane>``, ``b:<lane>``: events and bytes our scripts know of; their sum; the cap
``...:datasets``       set     the shard's datasets
``...:lanes:<ds>``     set     the dataset's lanes
``...:paused``         set     the datasets that are paused
``...:slow``            set     the datasets whose last answer came slowly
``...:seen:<ds>:<n>``  set     prints of what was delivered in one slot of time, so that a repetition is known
``...:dead:<ds>``      stream  the dead letters: ``e``, ``m`` as stored, ``r`` = the record that explains it
``...:call:<id>``      string  ten minutes: this append was done, do not do it again
``...:workers``        zset    worker process -> ms when it last told of itself; shard 0 only, as the next
``...:worker:<name>``  hash    what it told, for a minute
=====================  ======  ======================================================================================
"""

from zlib import crc32

SHARDS = "capi1:shards"
LATE_LANE = "late"
STORE_LANE = "store"


def shard_of(dataset_id: str, shards: int) -> int:
    """Return the shard that holds a dataset."""
    return crc32(dataset_id.encode()) % shards


def lane_of(dataset_id: str, name: str) -> str:
    """Return the lane's full name."""
    return f"{dataset_id}/{name}"


def dataset_of(lane: str) -> str:
    """Return the dataset a lane belongs to."""
    return lane.partition("/")[0]


def _in_shard(shard: int, tail: str) -> str:
    return f"capi1:{{s{shard}}}:{tail}"


def stream(shard: int, lane: str) -> str:
    """Stream of the lane's events."""
    return _in_shard(shard, f"q:{lane}")


def due(shard: int) -> str:
    """Sorted set: lane -> ms when it becomes worth taking."""
    return _in_shard(shard, "due")


def held(shard: int) -> str:
    """Sorted set: lane -> ms until which nobody may take it."""
    return _in_shard(shard, "held")


def state(shard: int, lane: str) -> str:
    """Hash: the lane's lease token, tries, deaths and marks."""
    return _in_shard(shard, f"st:{lane}")


def dataset(shard: int, dataset_id: str) -> str:
    """Hash: the dataset's pause and the batch size learnt for it."""
    return _in_shard(shard, f"ds:{dataset_id}")


def counters(shard: int, dataset_id: str) -> str:
    """Hash: the dataset's counters, every door among them."""
    return _in_shard(shard, f"cnt:{dataset_id}")


def quality(shard: int, dataset_id: str) -> str:
    """Hash: what samples of the dataset's delivered events lacked."""
    return _in_shard(shard, f"quality:{dataset_id}")


def size(shard: int) -> str:
    """Hash: events and bytes of every lane as our scripts know them, and the byte cap."""
    return _in_shard(shard, "size")


def datasets(shard: int) -> str:
    """Set: the shard's datasets."""
    return _in_shard(shard, "datasets")


def lanes(shard: int, dataset_id: str) -> str:
    """Set: the dataset's lanes."""
    return _in_shard(shard, f"lanes:{dataset_id}")


def paused(shard: int) -> str:
    """Set: the datasets that are paused."""
    return _in_shard(shard, "paused")


def slow(shard: int) -> str:
    """Set: the datasets whose last answer came slowly."""
    return _in_shard(shard, "slow")


def dead(shard: int, dataset_id: str) -> str:
    """Stream: the dataset's dead letters."""
    return _in_shard(shard, f"dead:{dataset_id}")


def seen(shard: int, dataset_id: str, slot: int) -> str:
    """Set: prints of the dataset's events that were delivered in one slot of time."""
    return _in_shard(shard, f"seen:{dataset_id}:{slot}")


def call(shard: int, call_id: str) -> str:
    """String: this append was already done."""
    return _in_shard(shard, f"call:{call_id}")


def workers(shard: int) -> str:
    """Sorted set: worker process -> ms when it last told of itself."""
    return _in_shard(shard, "workers")


def worker(shard: int, name: str) -> str:
    """Hash: what a worker process told of itself."""
    return _in_shard(shard, f"worker:{name}")
