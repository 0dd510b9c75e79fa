-- End a dataset's pause now: lanes that wait for it become due; leased lanes are left to their holders.
--
-- KEYS    1 dataset, 2 paused, 3 due, 4 held, then for each lane: stream, state
-- ARGV    1 dataset id, 2 only if the pause has this reason or '', then the lanes
-- Returns 1 resumed | 0 it was not paused (for that reason)
-- Cost    O(lanes of the dataset)
local reason = redis.call('HGET', KEYS[1], 'reason')
if not reason or (ARGV[2] ~= '' and reason ~= ARGV[2]) then return 0 end
local now = now_ms()
forget_pause(KEYS[1], KEYS[2], ARGV[1])
for i = 3, #ARGV do
  local stream, state = KEYS[2 * i - 1], KEYS[2 * i]
  if redis.call('ZSCORE', KEYS[4], ARGV[i]) and redis.call('HEXISTS', state, 'tok') == 0 then
    redis.call('HDEL', state, 'tries')
    schedule(stream, KEYS[3], KEYS[4], ARGV[i], now, 0, 1)
  end
end
return 1
