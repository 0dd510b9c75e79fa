-- Pause a dataset: its lanes are not taken before the pause ends. A person's pause is not shortened by a machine's, and none
-- by a rate limit: of the answers that were under way together the longest wait counts.
--
-- KEYS    1 dataset, 2 paused, 3 held
-- ARGV    1 dataset id, 2 ms or -1 for until it is resumed, 3 reason, 4 code, 5 subcode, 6 token fingerprint, 7 what to say of it,
--         8 failures in a row that led to it, this one included (0: no failure), 9 'dataset' or 'token': whom it concerns,
--         then the lanes of the dataset
-- Returns {ms at which it ends, failures in a row}
-- Cost    O(lanes of the dataset)
local FOR_EVER = 4102444800000  -- the year 2100
local now = now_ms()
local until_ms = tonumber(ARGV[2]) < 0 and FOR_EVER or now + tonumber(ARGV[2])
local before = tonumber(redis.call('HGET', KEYS[1], 'until') or 0)
if ARGV[3] ~= 'manual' and before > now then
  local longer = ARGV[3] == 'rate_limited' and before > until_ms
  if longer or redis.call('HGET', KEYS[1], 'reason') == 'manual' then return {before, 0} end
end
local fails = tonumber(ARGV[8])
if fails > 0 then  -- lanes that fail together, and a call sent twice, say the same number
  fails = math.max(fails, tonumber(redis.call('HGET', KEYS[1], 'fails') or 0))
end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', until_ms), 'reason', ARGV[3], 'code', ARGV[4], 'subcode', ARGV[5],
  'fingerprint', ARGV[6], 'detail', ARGV[7], 'since', string.format('%.0f', now), 'fails', fails, 'scope', ARGV[9])
redis.call('SADD', KEYS[2], ARGV[1])
if before > until_ms then  -- lanes that wait for the end of the longer pause would wait for it still
  for i = 10, #ARGV do
    if tonumber(redis.call('ZSCORE', KEYS[3], ARGV[i]) or 0) == before then redis.call('ZADD', KEYS[3], until_ms, ARGV[i]) end
  end
end
return {until_ms, fails}
