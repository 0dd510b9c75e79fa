-- Move one dead letter back into a lane: it leaves the dead letters in the script that appends it, so twice is once.
--
-- KEYS    1 dead letters, 2 stream, 3 due, 4 held, 5 size, 6 datasets, 7 lanes of the dataset, 8 counters
-- ARGV    1 dataset id, 2 lane, 3 id of the dead letter, 4 event, 5 meta
-- Returns 1 replayed | 0 it is no longer there
-- Cost    O(1). No allow-oom flag: it adds work.
local rows = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])
if #rows == 0 then return 0 end
local bytes = ENTRY_BYTES
for i = 1, #rows[1][2], 2 do
  local name = rows[1][2][i]
  if name == 'e' or name == 'r' then bytes = bytes + #rows[1][2][i + 1] end
end
redis.call('XADD', KEYS[2], '*', 'e', ARGV[4], 'm', ARGV[5])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('HINCRBY', KEYS[8], 'replayed', 1)
redis.call('SADD', KEYS[6], ARGV[1])
redis.call('SADD', KEYS[7], ARGV[2])
redis.call('HINCRBY', KEYS[5], 'n:' .. ARGV[2], 1)
redis.call('HINCRBY', KEYS[5], 'b:' .. ARGV[2], #ARGV[4] + ENTRY_BYTES)
redis.call('HINCRBY', KEYS[5], 'bytes', #ARGV[4] + ENTRY_BYTES - bytes)
if not redis.call('ZSCORE', KEYS[4], ARGV[2]) then redis.call('ZADD', KEYS[3], 'NX', now_ms(), ARGV[2]) end
return 1
