-- What every script of the worker begins with: the clock (Redis TIME is the only one) and the order of stream ids.
local ENTRY_BYTES = 128  -- what a stream entry costs beside its event; append.lua adds the same

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function id_parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function id_less(a, b)
  local a_ms, a_seq = id_parts(a)
  local b_ms, b_seq = id_parts(b)
  return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)
end

-- A range of ids is stored as 'first last'; the smallest range that covers both is what may have been delivered.
local function cover(a, b)
  if not a then return b end
  if not b then return a end
  local a_first, a_last = string.match(a, '^(%S+) (%S+)$')
  local b_first, b_last = string.match(b, '^(%S+) (%S+)$')
  return (id_less(b_first, a_first) and b_first or a_first) .. ' ' .. (id_less(a_last, b_last) and b_last or a_last)
end

-- Forget a dataset's pause, with all that is known of it.
local function forget_pause(dataset, paused, dataset_id)
  redis.call('HDEL', dataset, 'until', 'reason', 'code', 'subcode', 'fingerprint', 'detail', 'since', 'fails', 'scope', 'probe')
  redis.call('SREM', paused, dataset_id)
end

-- Count what some other hand has put into a stream, when it is first seen; return how long the stream is.
local function count_foreign(stream, size, counters, lane)
  local len, known = redis.call('XLEN', stream), tonumber(redis.call('HGET', size, 'n:' .. lane) or 0)
  if len > known then
    redis.call('HINCRBY', counters, 'foreign', len - known)
    redis.call('HSET', size, 'n:' .. lane, len)
  end
  return len
end

local function first_id(stream)
  local head = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
  return head[1] and head[1][1]
end

-- Put a lane that nobody holds where its next turn belongs: the invariant is that a non-empty lane is in due or in held.
local function schedule(stream, due, held, lane, now, linger, full)
  redis.call('ZREM', held, lane)
  local len = redis.call('XLEN', stream)
  if len == 0 then
    redis.call('ZREM', due, lane)
  elseif len >= full then
    redis.call('ZADD', due, now, lane)
  else  -- an id of the future (the clock was set back, or another hand chose it) makes nobody wait for it
    redis.call('ZADD', due, math.max(math.min((id_parts(first_id(stream))), now) + linger, now), lane)
  end
end
