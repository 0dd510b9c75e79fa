#!lua
-- Append the events of one call to their lanes, exactly once per call id, and index the lanes.
--
-- KEYS    1 call, 2 due, 3 held, 4 size, 5 datasets, 6 lanes of the dataset, 7 counters of the dataset, 8.. one stream a lane
-- ARGV    1 dataset id, 2 linger ms, 3 events that make a lane full, 4 events a lane may hold, 5 bytes that may wait (0: no limit)
--         while no worker has said how many, 6 number of lanes,
--         then for each lane: lane, number of events, and for each event: its bytes, the rest of its meta;
--         then, if this call may have been stored so long ago that it is forgotten: 'again'
-- Returns {1, n} stored | {2, n} this call was stored before | {0, 'store'} the store is full
--         | {0, 'lane'} the lane is full | {0, 'share'} the dataset holds its share of the store
-- Cost    O(events). No allow-oom flag: a server at maxmemory refuses it before it writes anything.
local ENTRY_BYTES = 128  -- what a stream entry costs beside its event; settle.lua subtracts the same

local seen = redis.call('GET', KEYS[1])
if seen then return {2, tonumber(seen)} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local dataset, linger, full, cap = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local lanes, at, total, bytes = {}, 7, 0, 0
for i = 1, tonumber(ARGV[6]) do
  local lane = {name = ARGV[at], n = tonumber(ARGV[at + 1]), first = at + 2, bytes = 0, stream = KEYS[7 + i]}
  at = lane.first + 2 * lane.n
  for k = lane.first, at - 1, 2 do lane.bytes = lane.bytes + #ARGV[k] + ENTRY_BYTES end
  lane.len = redis.call('XLEN', lane.stream)
  if lane.len + lane.n > cap then return {0, 'lane'} end
  total, bytes = total + lane.n, bytes + lane.bytes
  lanes[i] = lane
end
local size = redis.call('HMGET', KEYS[4], 'cap', 'bytes')
local limit = tonumber(size[1] or ARGV[5])
local filled = tonumber(size[2] or 0) + bytes
if limit > 0 and filled > limit then return {0, 'store'} end
if limit > 0 and filled > limit / 2 then  -- a dataset may hold nine times what is free: so there is always room for the others
  local share = 9 * (limit - filled) / math.max(1, redis.call('SCARD', KEYS[6]))
  for _, lane in ipairs(lanes) do
    if lane.bytes + tonumber(redis.call('HGET', KEYS[4], 'b:' .. lane.name) or 0) > share then return {0, 'share'} end
  end
end

redis.call('SET', KEYS[1], total, 'PX', 600000)
redis.call('SADD', KEYS[5], dataset)
redis.call('HINCRBY', KEYS[7], 'enqueued', total)
if ARGV[at] == 'again' then redis.call('HINCRBY', KEYS[7], 'possible_duplicates', total) end
redis.call('HINCRBY', KEYS[4], 'bytes', bytes)
local meta = '{"v":1,"t":' .. string.format('%.0f', now)
for _, lane in ipairs(lanes) do
  for k = lane.first, lane.first + 2 * lane.n - 1, 2 do
    redis.call('XADD', lane.stream, '*', 'e', ARGV[k], 'm', meta .. ARGV[k + 1])
  end
  redis.call('SADD', KEYS[6], lane.name)
  redis.call('HINCRBY', KEYS[4], 'n:' .. lane.name, lane.n)
  redis.call('HINCRBY', KEYS[4], 'b:' .. lane.name, lane.bytes)
  if not redis.call('ZSCORE', KEYS[3], lane.name) then  -- a leased, waiting or paused lane is its holder's business
    if lane.len + lane.n >= full then
      redis.call('ZADD', KEYS[2], 'LT', now, lane.name)
    else
      redis.call('ZADD', KEYS[2], 'NX', now + linger, lane.name)
    end
  end
end
return {1, total}
