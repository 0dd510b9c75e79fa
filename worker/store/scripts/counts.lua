-- Read one dataset's counters and all its lanes at one instant.
--
-- KEYS    1 dataset, 2 counters, 3 dead letters, 4 size, 5 held, 6 lanes of the dataset, then for each lane: stream, state
-- ARGV    the lanes
-- Returns {0} the dataset has other lanes by now: read them again
--         {now ms, dead letters, {counter, value ...}, {field of the pause, value ...}, events not yet counted as foreign,
--          {events in the lane, events under a live lease, ms of the oldest entry or 0} ...}
-- Cost    O(lanes of the dataset)
if redis.call('SCARD', KEYS[6]) ~= #ARGV then return {0} end
for i = 1, #ARGV do
  if redis.call('SISMEMBER', KEYS[6], ARGV[i]) == 0 then return {0} end
end
local now = now_ms()
local reply = {now, redis.call('XLEN', KEYS[3]), redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[1]), 0}
for i = 1, #ARGV do
  local stream, state = KEYS[5 + 2 * i], KEYS[6 + 2 * i]
  local len = redis.call('XLEN', stream)
  local known = tonumber(redis.call('HGET', KEYS[4], 'n:' .. ARGV[i]) or 0)
  reply[5] = reply[5] + math.max(0, len - known)
  local held = tonumber(redis.call('ZSCORE', KEYS[5], ARGV[i]) or 0)
  local leased = held > now and redis.call('HEXISTS', state, 'tok') == 1
  local flying = leased and math.min(len, tonumber(redis.call('HGET', state, 'n') or 0)) or 0
  local head = first_id(stream)
  reply[5 + i] = {len, flying, head and id_parts(head) or 0}
end
return reply
