-- Remove events of a lane for good, but for those that somebody has read and may be sending right now.
--
-- KEYS    1 stream, 2 held, 3 state, 4 size, 5 counters
-- ARGV    1 lane, then each event: id, bytes
-- Returns {removed, ids that are under way ...}
-- Cost    O(events). The lane is not leased: its holder can only touch what it has read, so all behind that may go at once.
local lane, now = ARGV[1], now_ms()
count_foreign(KEYS[1], KEYS[4], KEYS[5], lane)

local last  -- the end of what is under way
if redis.call('HEXISTS', KEYS[3], 'tok') == 1 then
  if tonumber(redis.call('ZSCORE', KEYS[2], lane) or 0) > now then
    last = redis.call('HGET', KEYS[3], 'last')
  else  -- the lease has expired: fenced off, its holder may send nothing more; the next lease finds the rest as it was
    redis.call('HSET', KEYS[3], 'tok', 'erased')
  end
end

local reply, gone, bytes = {0}, 0, 0
for i = 2, #ARGV, 2 do
  if last and not id_less(last, ARGV[i]) then
    if #redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) == 1 then reply[#reply + 1] = ARGV[i] end
  elseif redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    gone, bytes = gone + 1, bytes + tonumber(ARGV[i + 1]) + ENTRY_BYTES
  end
end
if gone > 0 then
  redis.call('HINCRBY', KEYS[5], 'erased', gone)
  redis.call('HINCRBY', KEYS[4], 'n:' .. lane, -gone)
  redis.call('HINCRBY', KEYS[4], 'b:' .. lane, -bytes)
  redis.call('HINCRBY', KEYS[4], 'bytes', -bytes)
  reply[1] = gone
end
return reply
