-- Move what has become late while it waited from the head of a leased lane to the dataset's late lane, so that newer events do not
-- wait behind it.
--
-- KEYS    1 stream, 2 due, 3 held, 4 state, 5 size, 6 lanes of the dataset, 7 stream of the late lane, 8 counters
-- ARGV    1 lane, 2 lease token, 3 late lane, 4 ms after which an event is moved, 5 events at most
-- Returns events moved; -1: the lease is somebody else's | -2: a mark is unresolved, its events stay where they are
-- Cost    O(events moved)
local lane, late = ARGV[1], ARGV[3]
if redis.call('HGET', KEYS[4], 'tok') ~= ARGV[2] then return -1 end
if redis.call('HEXISTS', KEYS[4], 'snd') == 1 or redis.call('HEXISTS', KEYS[4], 'cur') == 1 then return -2 end
count_foreign(KEYS[1], KEYS[5], KEYS[8], lane)  -- what came since the lease may be moved too
local now = now_ms()
local rows = redis.call('XRANGE', KEYS[1], '-', string.format('(%.0f-0', now - tonumber(ARGV[4])), 'COUNT', ARGV[5])
local bytes, ids = 0, {}
for _, row in ipairs(rows) do
  local event, meta
  for k = 1, #row[2], 2 do
    if row[2][k] == 'e' then event = row[2][k + 1] elseif row[2][k] == 'm' then meta = row[2][k + 1] end
  end
  if event and meta then  -- what a foreign hand put here has no other time than its id: it stays
    redis.call('XADD', KEYS[7], '*', 'e', event, 'm', meta)
    bytes = bytes + #event + ENTRY_BYTES
    ids[#ids + 1] = row[1]
  end
end
if #ids == 0 then return 0 end
for k = 1, #ids, 500 do redis.call('XDEL', KEYS[1], unpack(ids, k, math.min(k + 499, #ids))) end
redis.call('HINCRBY', KEYS[5], 'n:' .. lane, 0 - #ids)
redis.call('HINCRBY', KEYS[5], 'b:' .. lane, 0 - bytes)
redis.call('HINCRBY', KEYS[5], 'n:' .. late, #ids)
redis.call('HINCRBY', KEYS[5], 'b:' .. late, bytes)
redis.call('SADD', KEYS[6], late)
redis.call('HSET', KEYS[4], 'n', 0, 'prog', 1)  -- what this lease has read is not in its lane any more
if not redis.call('ZSCORE', KEYS[3], late) then redis.call('ZADD', KEYS[2], 'LT', now, late) end
return #ids
