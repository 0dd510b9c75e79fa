-- Delete dead letters for good. Their doors stay counted.
--
-- KEYS    1 dead letters, 2 size, 3 counters
-- ARGV    1 counter to raise for each, or '', then the ids
-- Returns how many were deleted
-- Cost    O(ids)
local gone, bytes = 0, 0
for i = 2, #ARGV do
  local rows = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
  if #rows == 1 then
    bytes = bytes + ENTRY_BYTES
    for k = 1, #rows[1][2], 2 do
      local name = rows[1][2][k]
      if name == 'e' or name == 'r' then bytes = bytes + #rows[1][2][k + 1] end
    end
    gone = gone + redis.call('XDEL', KEYS[1], ARGV[i])
  end
end
redis.call('HINCRBY', KEYS[2], 'bytes', 0 - bytes)  -- Redis 7.0 takes the -0 of -bytes for no number
if gone > 0 and ARGV[1] ~= '' then redis.call('HINCRBY', KEYS[3], ARGV[1], gone) end
return gone
