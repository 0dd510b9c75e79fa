-- Let events out by their doors, write their dead letters, and say what becomes of the lane: all at once, or not at all.
--
-- KEYS    1 stream, 2 due, 3 held, 4 state, 5 dataset, 6 size, 7 counters, 8 dead letters, 9 paused
-- ARGV    1 lane, 2 lease token, 3 'part' | 'release' | 'retry', 4 ms until the retry, 5 linger ms, 6 events that make a lane full,
--         7 the mark: 'taken' (known not to be delivered, or delivered and removed here) | 'doubt' (may be delivered),
--         8 tries to add, 9 batch size learnt or 0, 10 number of groups, 11 number of dead letters,
--         then each group: number of counters, counters..., bytes, number of ids, ids...
--         then each dead letter: id, door, stored bytes, event, meta, record
-- Returns {1 | -1, removed of each group..., dead letters written}; -1: the lease is somebody else's, what was removed stays removed
-- Cost    O(events). Each door is counted by what the delete really removed, so a stalled worker and its successor never both count.
local lane, now = ARGV[1], now_ms()
local reply, gone, gone_bytes, delivered, at = {1}, 0, 0, 0, 12

for _ = 1, tonumber(ARGV[10]) do
  local counters, first = tonumber(ARGV[at]), at + 1
  local bytes, n = tonumber(ARGV[first + counters]), tonumber(ARGV[first + counters + 1])
  local id, stop, removed = first + counters + 2, first + counters + 1 + n, 0
  while id <= stop do  -- unpack has a limit of a few thousand
    removed = removed + redis.call('XDEL', KEYS[1], unpack(ARGV, id, math.min(id + 499, stop)))
    id = id + 500
  end
  if removed > 0 then
    for c = first, first + counters - 1 do
      redis.call('HINCRBY', KEYS[7], ARGV[c], removed)
      if ARGV[c] == 'delivered' then delivered = delivered + removed end
    end
    gone, gone_bytes = gone + removed, gone_bytes + math.floor(bytes * removed / n) + removed * ENTRY_BYTES
  end
  reply[#reply + 1] = removed
  at = stop + 1
end

local dead, dead_bytes = 0, 0
for _ = 1, tonumber(ARGV[11]) do
  if redis.call('XDEL', KEYS[1], ARGV[at]) == 1 then  -- once, even if this call is sent twice
    redis.call('XADD', KEYS[8], '*', 'e', ARGV[at + 3], 'm', ARGV[at + 4], 'r', ARGV[at + 5])
    redis.call('HINCRBY', KEYS[7], ARGV[at + 1], 1)
    gone, gone_bytes = gone + 1, gone_bytes + tonumber(ARGV[at + 2]) + ENTRY_BYTES
    dead, dead_bytes = dead + 1, dead_bytes + #ARGV[at + 3] + #ARGV[at + 5] + ENTRY_BYTES
  end
  at = at + 6
end
reply[#reply + 1] = dead

if gone > 0 then
  local left = redis.call('HINCRBY', KEYS[6], 'n:' .. lane, -gone)
  local left_bytes = redis.call('HINCRBY', KEYS[6], 'b:' .. lane, -gone_bytes)
  if left <= 0 then  -- an empty lane holds no bytes: what was estimated above is made right here
    gone_bytes = gone_bytes + left_bytes
    redis.call('HDEL', KEYS[6], 'b:' .. lane)
  end
  redis.call('HINCRBY', KEYS[6], 'bytes', dead_bytes - gone_bytes)
end
if delivered > 0 and redis.call('HEXISTS', KEYS[5], 'until') == 1 and tonumber(redis.call('HGET', KEYS[5], 'until')) <= now then
  redis.call('HDEL', KEYS[5], 'until', 'reason', 'code', 'subcode', 'fingerprint', 'detail', 'since', 'fails')  -- it works again
  redis.call('SREM', KEYS[9], string.match(lane, '^[^/]+'))
end

if redis.call('HGET', KEYS[4], 'tok') ~= ARGV[2] then
  reply[1] = -1
  return reply
end

local cur = redis.call('HGET', KEYS[4], 'cur')
if cur then
  if ARGV[7] == 'doubt' then redis.call('HSET', KEYS[4], 'snd', cover(redis.call('HGET', KEYS[4], 'snd') or nil, cur)) end
  redis.call('HDEL', KEYS[4], 'cur')
end
if delivered > 0 then redis.call('HDEL', KEYS[4], 'tries') end  -- tries are failures in a row
local learnt, full = tonumber(redis.call('HGET', KEYS[5], 'batch') or 0), tonumber(ARGV[6])
if tonumber(ARGV[9]) > 0 then
  redis.call('HSET', KEYS[5], 'batch', ARGV[9])
elseif delivered > 0 and delivered >= learnt and learnt > 0 then  -- what was learnt from a refusal grows back slowly
  learnt = learnt + math.ceil(learnt / 10)
  if learnt >= full then redis.call('HDEL', KEYS[5], 'batch') else redis.call('HSET', KEYS[5], 'batch', learnt) end
end
redis.call('HSET', KEYS[4], 'prog', 1)

-- What is behind us is forgotten: marks whose events are gone, suspects that have passed.
local head = first_id(KEYS[1])
local snd, sus = redis.call('HGET', KEYS[4], 'snd'), redis.call('HGET', KEYS[4], 'sus')
if snd and (not head or id_less(string.match(snd, '%S+$'), head)) then redis.call('HDEL', KEYS[4], 'snd') end
if not sus or not head or id_less(sus, head) then redis.call('HDEL', KEYS[4], 'sus', 'deaths') end
if gone > 0 then redis.call('HDEL', KEYS[4], 'solo') end

if ARGV[3] == 'part' then
  redis.call('HINCRBY', KEYS[4], 'n', 0 - gone)  -- Redis 7.0 takes the -0 of -gone for no number
  return reply
end
redis.call('HDEL', KEYS[4], 'tok', 'n', 'last', 'prog', 'sign')
local pause = tonumber(redis.call('HGET', KEYS[5], 'until') or 0)
if ARGV[3] == 'retry' then
  redis.call('HINCRBY', KEYS[4], 'tries', ARGV[8])
  redis.call('ZADD', KEYS[3], math.max(now + tonumber(ARGV[4]), pause), lane)
  if not head then schedule(KEYS[1], KEYS[2], KEYS[3], lane, now, 0, 1) end
elseif pause > now and head then
  redis.call('HDEL', KEYS[4], 'tries')
  redis.call('ZADD', KEYS[3], pause, lane)
else
  redis.call('HDEL', KEYS[4], 'tries')
  schedule(KEYS[1], KEYS[2], KEYS[3], lane, now, tonumber(ARGV[5]), full)
end
return reply
