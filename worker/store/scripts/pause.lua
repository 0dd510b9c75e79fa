-- Pause a dataset: its lanes are not taken before the pause ends. A person's pause is not shortened by a machine's.
--
-- KEYS    1 dataset, 2 paused
-- ARGV    1 dataset id, 2 ms or -1 for until it is resumed, 3 reason, 4 code, 5 subcode, 6 token fingerprint, 7 what to say of it
-- Returns {ms at which it ends, failures in a row}
-- Cost    O(1)
local FOR_EVER = 4102444800000  -- the year 2100
local now = now_ms()
local until_ms = tonumber(ARGV[2]) < 0 and FOR_EVER or now + tonumber(ARGV[2])
local before = tonumber(redis.call('HGET', KEYS[1], 'until') or 0)
if ARGV[3] ~= 'manual' and before > now and redis.call('HGET', KEYS[1], 'reason') == 'manual' then return {before, 0} end
local fails = 0
if ARGV[3] ~= 'manual' then  -- lanes that fail together, and a call sent twice, are one failure
  fails = redis.call('HINCRBY', KEYS[1], 'fails', before > now and 0 or 1)
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', until_ms), 'reason', ARGV[3], 'code', ARGV[4], 'subcode', ARGV[5],
  'fingerprint', ARGV[6], 'detail', ARGV[7], 'since', string.format('%.0f', now))
redis.call('SADD', KEYS[2], ARGV[1])
return {until_ms, fails}
