-- A worker process tells of itself; what it told before is replaced, and gone when it tells nothing for a while.
--
-- KEYS    1 workers, 2 what this one tells
-- ARGV    1 worker, 2 ms for which it counts as alive, then field, value ...
-- Returns how many workers told of themselves within that time
-- Cost    O(log workers)
local now = now_ms()
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return redis.call('ZCARD', KEYS[1])
