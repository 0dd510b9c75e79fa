-- The fenced write directly before a POST: who cannot write it does not POST. It also renews the lease.
--
-- KEYS    1 held, 2 state, 3 counters
-- ARGV    1 lane, 2 lease token, 3 lease ms, 4 number of this mark, 5 first id, 6 last id, 7 events among them that may already be delivered
-- Returns 1 go on | 0 the lease is somebody else's: do not POST
-- Cost    O(log lanes)
if redis.call('HGET', KEYS[2], 'tok') ~= ARGV[2] then return 0 end
local last = string.match(redis.call('HGET', KEYS[2], 'sign') or '', '^' .. ARGV[2] .. ' (%d+)$')
if last and tonumber(last) >= tonumber(ARGV[4]) then return 1 end  -- sent twice, or delayed: a later mark is there
redis.call('ZADD', KEYS[1], now_ms() + tonumber(ARGV[3]), ARGV[1])
redis.call('HSET', KEYS[2], 'cur', ARGV[5] .. ' ' .. ARGV[6], 'sign', ARGV[2] .. ' ' .. ARGV[4], 'prog', 1)
redis.call('HINCRBY', KEYS[3], 'requests', 1)
if tonumber(ARGV[7]) > 0 then redis.call('HINCRBY', KEYS[3], 'possible_duplicates', ARGV[7]) end
return 1
