-- Lease one lane and read the batch to work on.
--
-- KEYS    1 stream, 2 due, 3 held, 4 state, 5 dataset, 6 size, 7 counters
-- ARGV    1 lane, 2 lease token, 3 lease ms, 4 events at most, 5 bytes at most, 6 ms to leave a lane alone that holds only newer formats
-- Returns {0, why} not taken ('held', 'paused', 'probing', 'empty', 'newer')
--         {1, now ms, tries, pause failures, crashed 0|1, 'first last' of what may have been delivered or '', entries of a newer format,
--          {id, event, meta, id, event, meta ...}, events left behind in the lane,
--          the reason of the pause of a whole token that this batch is the test of, or ''}
-- Cost    O(events read)
local FORMAT = 1
local FEW = 16            -- never less after mere failures: an event that provokes them is found beside its neighbours
local SCAN = 5000          -- entries of a newer format are stepped over, so many at most
local PROBE_MS = 1000     -- lanes that wait for the answer to another lane's test of a pause look so often
local lane, token = ARGV[1], ARGV[2]
local now = now_ms()
local st = {}
local flat = redis.call('HGETALL', KEYS[4])
for i = 1, #flat, 2 do st[flat[i]] = flat[i + 1] end

local held = tonumber(redis.call('ZSCORE', KEYS[3], lane) or nil)
local again = st.tok == token and held  -- the client library sent this call twice
if again and (st.cur or st.prog) then return {0, 'held'} end  -- and this one was delayed: its holder has gone on since
local pause = tonumber(redis.call('HGET', KEYS[5], 'until') or 0)
if not again then
  local due = tonumber(redis.call('ZSCORE', KEYS[2], lane) or nil)
  if held and held > now or not held and (not due or due > now) then return {0, 'held'} end
  if st.tok then              -- the last lease was never given back: its holder died, or lost Redis
    if st.cur then
      st.snd = cover(st.snd, st.cur)
      redis.call('HSET', KEYS[4], 'snd', st.snd)
    elseif not st.prog then   -- neither a settle nor a mark: whatever it read may have killed it
      st.deaths = redis.call('HINCRBY', KEYS[4], 'deaths', 1)
      st.sus = st.last
      if st.sus then redis.call('HSET', KEYS[4], 'sus', st.sus) end
      if st.n == '1' then st.solo = redis.call('HINCRBY', KEYS[4], 'solo', 1) end
    end
    redis.call('HDEL', KEYS[4], 'cur', 'prog', 'tok')  -- noted once, and no longer leased should a pause begin here
  end
  if pause > now then
    redis.call('ZREM', KEYS[2], lane)
    redis.call('ZADD', KEYS[3], pause, lane)
    return {0, 'paused'}
  end
  -- A pause that has run out is not over before something was delivered: one lane tries, and the others wait for its answer,
  -- for as long as its lease lives.
  local prober = pause > 0 and string.match(redis.call('HGET', KEYS[5], 'probe') or '', '^(%S+) ')
  if prober and prober ~= lane and tonumber(redis.call('ZSCORE', KEYS[3], prober) or 0) > now then
    redis.call('ZREM', KEYS[2], lane)
    redis.call('ZADD', KEYS[3], now + PROBE_MS, lane)
    return {0, 'probing'}
  end
end

local len = count_foreign(KEYS[1], KEYS[6], KEYS[7], lane)
if len == 0 then
  redis.call('ZREM', KEYS[2], lane)
  redis.call('ZREM', KEYS[3], lane)
  redis.call('DEL', KEYS[4])
  return {0, 'empty'}
end

-- How much to take: less after repeated failures, and suspects of a crash run alone.
local limit, tries, deaths = tonumber(ARGV[4]), tonumber(st.tries or 0), tonumber(st.deaths or 0)
local learnt = tonumber(redis.call('HGET', KEYS[5], 'batch') or 0)
if learnt > 0 then limit = math.min(limit, learnt) end
if tries >= 5 then limit = math.min(limit, math.max(FEW, math.floor(limit / 2 ^ math.min(tries - 4, 20)))) end
local suspected = st.sus and not id_less(st.sus, first_id(KEYS[1]))
if suspected and deaths >= 2 then limit = math.min(limit, deaths == 2 and 32 or 1) end

local out, n, bytes, newer, scanned, from, last = {}, 0, 0, 0, 0, '-', nil
while n < limit and scanned < SCAN do
  local rows = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', math.min(limit - n, 200))
  if #rows == 0 then break end
  local cut = false
  for _, row in ipairs(rows) do
    local fields, event, meta = row[2], nil, ''
    for i = 1, #fields, 2 do
      if fields[i] == 'e' then event = fields[i + 1] elseif fields[i] == 'm' then meta = fields[i + 1] end
    end
    if not event then event, meta = table.concat(fields, ' '), 'raw' end  -- no event of ours: undecodable, kept as it is
    scanned = scanned + 1
    local version = tonumber(string.match(meta, '^{"v":(%d+)') or FORMAT)
    if version > FORMAT then
      newer = newer + 1      -- for a worker of a newer version: it stays where it is
    elseif n > 0 and bytes + #event > tonumber(ARGV[5]) then
      cut = true
      break
    else
      out[3 * n + 1], out[3 * n + 2], out[3 * n + 3] = row[1], event, meta
      n, bytes, last = n + 1, bytes + #event, row[1]
    end
  end
  if cut then break end
  from = '(' .. rows[#rows][1]
end

redis.call('ZREM', KEYS[2], lane)
redis.call('HDEL', KEYS[4], 'cur', 'prog', 'tok')
if n == 0 then
  redis.call('ZADD', KEYS[3], now + tonumber(ARGV[6]), lane)
  local tried = string.match(redis.call('HGET', KEYS[5], 'probe') or '', '^(%S+) ')
  if tried == lane then redis.call('HDEL', KEYS[5], 'probe') end  -- it has nothing to try with: another lane may
  return {0, 'newer'}
end
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[3]), lane)
redis.call('HSET', KEYS[4], 'tok', token, 'n', n, 'last', last)
local tests = ''
if pause > 0 and pause <= now then
  redis.call('HSET', KEYS[5], 'probe', lane .. ' ' .. token)
  if redis.call('HGET', KEYS[5], 'scope') == 'token' then tests = redis.call('HGET', KEYS[5], 'reason') end
end
local fails = tonumber(redis.call('HGET', KEYS[5], 'fails') or 0)
local crashed = (suspected and limit == 1 and tonumber(st.solo or 0) >= 2) and 1 or 0
return {1, now, tries, fails, crashed, st.snd or '', newer, out, len - n, tests}
