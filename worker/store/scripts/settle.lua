-- Let events out by their doors, write their dead letters, and say what becomes of the lane: all at once, or not at all.
--
-- KEYS    1 stream, 2 due, 3 held, 4 state, 5 dataset, 6 size, 7 counters, 8 dead letters, 9 paused, 10 datasets,
--         11.. what was delivered before, one set a slot, the current slot first (none: the dataset remembers nothing)
-- ARGV    1 lane, 2 lease token, 3 'part' | 'release' | 'retry', 4 ms until the retry, or that a released lane rests at least, 5 linger ms, 6 events that make a lane full,
--         7 the mark: 'taken' (known not to be delivered, or delivered and removed here) | 'doubt' (may be delivered),
--         8 tries to add, 9 batch size learnt or 0, 10 number of groups, 11 number of dead letters,
--         12 ms a slot is kept, 13 events the shard may remember, 14 dead letters to keep, the oldest go (0: all),
--         15 number of the last mark ('': not told), 16 number of prints to remember, prints...,
--         then each group: number of counters, counters..., age ms and queue ms of all its events, bytes, number of ids, ids...
--         then each dead letter: id, door, stored bytes, event, meta, record;
--         then of the POSTs since the last settle: counter, number ... (counted once, and only by the lease's holder)
-- Returns {1 | -1, removed of each group..., dead letters written, dead letters there are}; -1: the lease is somebody else's, what was removed stays removed
-- Cost    O(events). Each door is counted by what the delete really removed, so a stalled worker and its successor never both count.
local lane, now = ARGV[1], now_ms()

-- Remember what was delivered, whoever holds the lease by now. At the shard's cap a dataset that holds more than its
-- share forgets its own oldest slots; one that has none to forget does not remember, and says so.
local function remember(cap, first, last)
  if first > last then return end
  local total = tonumber(redis.call('HGET', KEYS[6], 'seen') or 0) + last - first + 1
  if total > cap then
    local own, share = last - first + 1, cap / math.max(1, redis.call('SCARD', KEYS[10]))
    for k = 11, #KEYS do own = own + redis.call('SCARD', KEYS[k]) end
    for k = #KEYS, 12, -1 do
      if total <= cap or own <= share then break end
      local n = redis.call('SCARD', KEYS[k])
      redis.call('UNLINK', KEYS[k])
      own, total = own - n, total - n
      if n > 0 then
        redis.call('HINCRBY', KEYS[6], 'seen', 0 - n)
        redis.call('HINCRBY', KEYS[7], 'forgotten', n)
      end
    end
    if total > cap and own > share then
      redis.call('HINCRBY', KEYS[7], 'forgotten', last - first + 1)
      return
    end
  end
  local new, added = redis.call('EXISTS', KEYS[11]) == 0, 0
  for k = first, last, 500 do
    added = added + redis.call('SADD', KEYS[11], unpack(ARGV, k, math.min(k + 499, last)))
  end
  if added > 0 then redis.call('HINCRBY', KEYS[6], 'seen', added) end
  if new then redis.call('PEXPIRE', KEYS[11], ARGV[12]) end
end

local reply, gone, gone_bytes, delivered, at = {1}, 0, 0, 0, 17 + tonumber(ARGV[16])

for _ = 1, tonumber(ARGV[10]) do
  local counters, first = tonumber(ARGV[at]), at + 1
  local sums = first + counters
  local bytes, n = tonumber(ARGV[sums + 2]), tonumber(ARGV[sums + 3])
  local id, stop, removed = sums + 4, sums + 3 + n, 0
  while id <= stop do  -- unpack has a limit of a few thousand
    removed = removed + redis.call('XDEL', KEYS[1], unpack(ARGV, id, math.min(id + 499, stop)))
    id = id + 500
  end
  if removed > 0 then
    for c = first, first + counters - 1 do
      redis.call('HINCRBY', KEYS[7], ARGV[c], removed)
      if ARGV[c] == 'delivered' then delivered = delivered + removed end
    end
    for k, counter in ipairs({'age:ms', 'queue:ms'}) do
      local ms = math.floor(ARGV[sums + k - 1] * removed / n)
      if ms > 0 then redis.call('HINCRBY', KEYS[7], counter, string.format('%.0f', ms)) end
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

local keep, kept = tonumber(ARGV[14]), redis.call('XLEN', KEYS[8])
local drop = keep > 0 and math.min(kept - keep, dead + 1000) or 0  -- more, where the limit was lowered: the next settles
while drop > 0 do  -- the dataset would rather lose its oldest dead letters than stand still
  local rows, ids = redis.call('XRANGE', KEYS[8], '-', '+', 'COUNT', math.min(drop, 500)), {}
  for i, row in ipairs(rows) do
    ids[i] = row[1]
    for k = 1, #row[2], 2 do
      if row[2][k] ~= 'm' then dead_bytes = dead_bytes - #row[2][k + 1] end
    end
    dead_bytes = dead_bytes - ENTRY_BYTES
  end
  redis.call('XDEL', KEYS[8], unpack(ids))
  redis.call('HINCRBY', KEYS[7], 'dead_dropped', #ids)
  kept, drop = kept - #ids, drop - #ids
end
reply[#reply + 1] = kept

if gone > 0 or dead_bytes ~= 0 then
  local left = redis.call('HINCRBY', KEYS[6], 'n:' .. lane, 0 - gone)  -- Redis 7.0 takes the -0 of -gone for no number
  local left_bytes = redis.call('HINCRBY', KEYS[6], 'b:' .. lane, 0 - gone_bytes)
  if left <= 0 then  -- an empty lane holds no bytes: what was estimated above is made right here
    gone_bytes = gone_bytes + left_bytes
    redis.call('HDEL', KEYS[6], 'b:' .. lane)
  end
  redis.call('HINCRBY', KEYS[6], 'bytes', dead_bytes - gone_bytes)
end
if delivered > 0 and redis.call('HEXISTS', KEYS[5], 'until') == 1 and tonumber(redis.call('HGET', KEYS[5], 'until')) <= now then
  forget_pause(KEYS[5], KEYS[9], string.match(lane, '^[^/]+'))  -- it works again
end

remember(tonumber(ARGV[13]), 17, 16 + tonumber(ARGV[16]))

if redis.call('HGET', KEYS[4], 'tok') ~= ARGV[2] then
  reply[1] = -1
  return reply
end

local cur = redis.call('HGET', KEYS[4], 'cur')
local sign = redis.call('HGET', KEYS[4], 'sign')
if cur and (ARGV[15] == '' or sign == ARGV[2] .. ' ' .. ARGV[15]) then  -- else this call was delayed, and another POST has begun since
  if ARGV[7] == 'doubt' then redis.call('HSET', KEYS[4], 'snd', cover(redis.call('HGET', KEYS[4], 'snd') or nil, cur)) end
  redis.call('HDEL', KEYS[4], 'cur')
  for k = at, #ARGV, 2 do redis.call('HINCRBY', KEYS[7], ARGV[k], ARGV[k + 1]) end
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
  redis.call('HINCRBY', KEYS[4], 'n', 0 - gone)
  return reply
end
redis.call('HDEL', KEYS[4], 'tok', 'n', 'last', 'prog', 'sign')
if redis.call('HGET', KEYS[5], 'probe') == lane .. ' ' .. ARGV[2] then redis.call('HDEL', KEYS[5], 'probe') end  -- another lane may try
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
  local rest, len = tonumber(ARGV[4]), redis.call('XLEN', KEYS[1])
  if rest > 0 then  -- slowed down: an empty lane rests too, or the next event would be taken at once
    redis.call('ZREM', KEYS[2], lane)
    redis.call('ZADD', KEYS[3], now + math.max(rest, len >= full and 0 or tonumber(ARGV[5])), lane)
  else
    schedule(KEYS[1], KEYS[2], KEYS[3], lane, now, tonumber(ARGV[5]), full)
  end
end
return reply
