-- Delete dead letters for good. Their doors stay counted.
--
-- KEYS    1 dead letters, 2 size
-- ARGV    the ids
-- Returns how many were deleted
-- Cost    O(ids)
local gone, bytes = 0, 0
for _, id in ipairs(ARGV) do
  local rows = redis.call('XRANGE', KEYS[1], id, id)
  if #rows == 1 then
    bytes = bytes + ENTRY_BYTES
    for i = 1, #rows[1][2], 2 do
      local name = rows[1][2][i]
      if name == 'e' or name == 'r' then bytes = bytes + #rows[1][2][i + 1] end
    end
    gone = gone + redis.call('XDEL', KEYS[1], id)
  end
end
redis.call('HINCRBY', KEYS[2], 'bytes', 0 - bytes)  -- Redis 7.0 takes the -0 of -bytes for no number
return gone
