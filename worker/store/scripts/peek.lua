-- Name the lanes that may be taken now, the longest eligible first.
--
-- KEYS    1 due, 2 held
-- ARGV    1 how many to name, 2 count as eligible what falls due within so many ms
-- Returns {now ms, number eligible by then, ms at which the next other lane falls due or -1, lane, lane ...}
-- Cost    O(log lanes + named)
local now = now_ms()
local found, count, next_ms = {}, 0, -1
for _, index in ipairs(KEYS) do
  local rows = redis.call('ZRANGEBYSCORE', index, '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
  for i = 1, #rows, 2 do found[#found + 1] = {lane = rows[i], since = tonumber(rows[i + 1])} end
  count = count + redis.call('ZCOUNT', index, '-inf', now + tonumber(ARGV[2]))
  local after = redis.call('ZRANGEBYSCORE', index, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if after[2] and (next_ms < 0 or tonumber(after[2]) < next_ms) then next_ms = tonumber(after[2]) end
end
table.sort(found, function(a, b) return a.since < b.since end)
local reply = {now, count, next_ms}
for i = 1, math.min(#found, tonumber(ARGV[1])) do reply[i + 3] = found[i].lane end
return reply
