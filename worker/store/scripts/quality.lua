-- Add what a sample of delivered events lacked. An estimate: a call that is sent twice counts twice, and does no harm.
--
-- KEYS    1 quality
-- ARGV    1 the most samples to remember, then field, number ...
-- Returns how many samples are remembered
-- Cost    O(fields)
for i = 2, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
end
local sampled = tonumber(redis.call('HGET', KEYS[1], 'sampled') or 0)
if sampled <= tonumber(ARGV[1]) then return sampled end
-- Halving all keeps the shares and lets what was mended fade.
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local half = math.floor(tonumber(all[i + 1]) / 2)
  if half > 0 then
    redis.call('HSET', KEYS[1], all[i], half)
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return math.floor(sampled / 2)
