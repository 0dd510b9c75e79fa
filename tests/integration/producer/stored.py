"""A look at what lies in the event store, past all code of ours but the names of the keys."""

import json
from typing import Any

import redis

from capi_relay import keys


class Stored:
    """Reads shard 0."""

    def __init__(self, url: str) -> None:
        self.redis: Any = redis.Redis.from_url(url, protocol=2)  # its replies have types of every kind

    def encoded(self, lane: str = "1001/0") -> list[bytes]:
        """Return a lane's events, exactly as they lie there."""
        return [fields[b"e"] for fields in self._fields(lane)]

    def events(self, lane: str = "1001/0") -> list[dict[str, Any]]:
        return [json.loads(event) for event in self.encoded(lane)]

    def ids(self, lane: str = "1001/0") -> list[str]:
        return [event["event_id"] for event in self.events(lane)]

    def metas(self, lane: str = "1001/0") -> list[dict[str, Any]]:
        return [json.loads(fields[b"m"]) for fields in self._fields(lane)]

    def lanes(self, dataset_id: str = "1001") -> set[str]:
        return {lane.decode() for lane in self.redis.smembers(keys.lanes(0, dataset_id))}

    def calls(self) -> int:
        """Count the calls of the last ten minutes."""
        return len(self.redis.keys(keys.call(0, "*")))

    def everything(self) -> bytes:
        """Return the whole content of the store as one text to search in."""
        return b"\n".join(name + (self.redis.dump(name) or b"") + self._plain(name) for name in self.redis.keys("*"))

    def close(self) -> None:
        self.redis.close()

    def _plain(self, name: bytes) -> bytes:
        return repr(self.redis.xrange(name)).encode() if self.redis.type(name) == b"stream" else b""

    def _fields(self, lane: str) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in self.redis.xrange(keys.stream(0, lane))]
