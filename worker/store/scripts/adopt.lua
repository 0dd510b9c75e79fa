-- Repair one lane of the index: a stream with entries is in due or held, once, and held no longer than it should be; one
-- that has been empty for a day is removed.
--
-- KEYS    1 stream, 2 due, 3 held, 4 state, 5 size, 6 datasets, 7 lanes of the dataset, 8 dataset
-- ARGV    1 lane, 2 dataset id, 3 ms for which an empty stream is kept; so long nothing but a pause holds a lane
-- Returns 'fine' | 'adopted' | 'removed' | 'alien': some other hand's key, of another type, which is left alone
-- Cost    O(1)
local lane, now = ARGV[1], now_ms()
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return 'fine' end  -- removed by another sweep since it was found
if kind ~= 'stream' then return 'alien' end
local due, held = redis.call('ZSCORE', KEYS[2], lane), redis.call('ZSCORE', KEYS[3], lane)
if redis.call('XLEN', KEYS[1]) > 0 then
  redis.call('SADD', KEYS[6], ARGV[2])
  redis.call('SADD', KEYS[7], lane)
  if due and held then redis.call('ZREM', KEYS[2], lane) end
  local longest = math.max(now + tonumber(ARGV[3]), tonumber(redis.call('HGET', KEYS[8], 'until') or 0))
  if held and tonumber(held) > longest then  -- for a pause without an end that is over: it ended as the lane came into being
    redis.call('ZADD', KEYS[3], now, lane)
    return 'adopted'
  end
  if due or held then return 'fine' end
  redis.call('ZADD', KEYS[2], now, lane)
  return 'adopted'
end
-- Never at once: a stream made anew could use ids of the same millisecond, and a stalled worker's delete would hit a new event.
local info, last = redis.call('XINFO', 'STREAM', KEYS[1]), '0-0'
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then last = info[i + 1] end
end
local bytes = redis.call('HGET', KEYS[5], 'b:' .. lane)
if bytes then redis.call('HINCRBY', KEYS[5], 'bytes', 0 - bytes) end  -- not -bytes: Redis 7.0 refuses -0
redis.call('HDEL', KEYS[5], 'n:' .. lane, 'b:' .. lane)
if held or id_parts(last) > now - tonumber(ARGV[3]) then return 'fine' end
redis.call('DEL', KEYS[1], KEYS[4])
redis.call('ZREM', KEYS[2], lane)
redis.call('SREM', KEYS[7], lane)
return 'removed'
