-- Read the counters and lanes of many datasets at one instant: counts.lua for a page of them.
--
-- KEYS    1 size, 2 held, then for each dataset: dataset, counters, dead letters, lanes of the dataset,
--         and for each of its lanes: stream, state
-- ARGV    for each dataset: how many lanes, then the lanes
-- Returns {now ms, one of each dataset ...}: the rest of what counts.lua answers, or {} where it has other lanes by now
-- Cost    O(lanes of all these datasets): the caller reads page by page
local now = now_ms()
local reply, key, arg = {now}, 3, 1
while arg <= #ARGV do
  local lanes, first = tonumber(ARGV[arg]), arg + 1
  local same = redis.call('SCARD', KEYS[key + 3]) == lanes
  for i = 0, lanes - 1 do
    same = same and redis.call('SISMEMBER', KEYS[key + 3], ARGV[first + i]) == 1
  end
  local row = {}
  if same then
    row = {redis.call('XLEN', KEYS[key + 2]), redis.call('HGETALL', KEYS[key + 1]), redis.call('HGETALL', KEYS[key]), 0}
    for i = 0, lanes - 1 do
      local lane, stream, state = ARGV[first + i], KEYS[key + 4 + 2 * i], KEYS[key + 5 + 2 * i]
      local len = redis.call('XLEN', stream)
      local known = tonumber(redis.call('HGET', KEYS[1], 'n:' .. lane) or 0)
      row[4] = row[4] + math.max(0, len - known)
      if len == 0 then
        row[5 + i] = {0, 0, 0}
      else
        local held = tonumber(redis.call('ZSCORE', KEYS[2], lane) or 0)
        local leased = held > now and redis.call('HEXISTS', state, 'tok') == 1
        local flying = leased and math.min(len, tonumber(redis.call('HGET', state, 'n') or 0)) or 0
        row[5 + i] = {len, flying, (id_parts(first_id(stream)))}
      end
    end
  end
  reply[#reply + 1] = row
  key, arg = key + 4 + 2 * lanes, first + lanes
end
return reply
